#!/usr/bin/env python3
"""Runs a .tflite file in TensorFlow Lite's own interpreter, with its reference kernels or --fast. Used by tests only.

run_tflite.py MODEL --raw-input F --raw-output G
    F holds N input tensors one after another in the model's own type, G gets the N outputs. With several inputs or
    outputs they follow one another within each of the N. --fast: with the kernels that it takes by itself (XNNPACK).
run_tflite.py MODEL --raw-input F --layers DIR
    Writes every intermediate tensor of the first input to DIR/INDEX.bin and prints a line each: index, type, shape, name.

Works in both environments that tools/oracle/setup makes: tflite_runtime 2.14 and ai_edge_litert 2.x.
"""

import argparse
import os

import numpy as np

try:
    from tflite_runtime import interpreter as tflite
except ImportError:
    from ai_edge_litert import interpreter as tflite


def load(path, keep_all, fast):
    interpreter = tflite.Interpreter(
        model_path=path,
        num_threads=1,
        experimental_op_resolver_type=tflite.OpResolverType.AUTO if fast else tflite.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=keep_all,
    )
    interpreter.allocate_tensors()
    return interpreter


def feed(interpreter, raw, offset):
    for detail in interpreter.get_input_details():
        count = int(np.prod(detail["shape"]))
        values = np.frombuffer(raw, detail["dtype"], count, offset).reshape(detail["shape"])
        interpreter.set_tensor(detail["index"], values)
        offset += values.nbytes
    return offset


def run_all(interpreter, raw):
    outputs, offset = [], 0
    while offset < len(raw):
        offset = feed(interpreter, raw, offset)
        interpreter.invoke()
        outputs += [interpreter.get_tensor(d["index"]).tobytes() for d in interpreter.get_output_details()]
    return b"".join(outputs)


def dump_layers(interpreter, raw, folder):
    os.makedirs(folder, exist_ok=True)
    feed(interpreter, raw, 0)
    interpreter.invoke()
    for detail in interpreter.get_tensor_details():
        try:
            values = interpreter.get_tensor(detail["index"])
        except ValueError:  # tensors without data, such as an absent bias
            continue
        with open(os.path.join(folder, f"{detail['index']}.bin"), "wb") as out:
            out.write(values.tobytes())
        print(detail["index"], values.dtype, "x".join(map(str, values.shape)), detail["name"], sep="\t")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--raw-input", required=True)
    parser.add_argument("--raw-output")
    parser.add_argument("--layers")
    parser.add_argument("--fast", action="store_true")
    args = parser.parse_args()
    with open(args.raw_input, "rb") as file:
        raw = file.read()
    interpreter = load(args.model, keep_all=bool(args.layers), fast=args.fast)
    if args.layers:
        dump_layers(interpreter, raw, args.layers)
    if args.raw_output:
        with open(args.raw_output, "wb") as out:
            out.write(run_all(interpreter, raw))


if __name__ == "__main__":
    main()
