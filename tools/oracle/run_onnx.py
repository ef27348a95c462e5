#!/usr/bin/env python3
"""Checks an .onnx file with onnx.checker and runs it in ONNX Runtime. Used by tests only.

run_onnx.py MODEL --raw-input F --raw-output G
    F holds N input tensors one after another in the model's own type and NCHW order, G gets the N outputs. With several
    outputs they follow one another within each of the N.

ONNX Runtime's own rewriting of the graph is off: each operator runs as the file states it.
"""

import argparse

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(int8)": np.int8, "tensor(uint8)": np.uint8}


def load(path):
    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_all(session, raw):
    feed = session.get_inputs()[0]
    shape = [1] + list(feed.shape[1:])
    values = np.frombuffer(raw, TYPES[feed.type]).reshape([-1] + shape)
    return b"".join(y.tobytes() for x in values for y in session.run(None, {feed.name: x}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--raw-input", required=True)
    parser.add_argument("--raw-output", required=True)
    args = parser.parse_args()
    with open(args.raw_input, "rb") as file:
        raw = file.read()
    outputs = run_all(load(args.model), raw)
    with open(args.raw_output, "wb") as out:
        out.write(outputs)


if __name__ == "__main__":
    main()
