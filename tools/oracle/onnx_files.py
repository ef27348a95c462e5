#!/usr/bin/env python3
"""ONNX files in the patterns of converters from TensorFlow and of ONNX Runtime's quantizer. Used by tests only.

onnx_files.py FOLDER
    tf_style.onnx: what tf2onnx writes for a small Keras net (NHWC input behind Transposes, Pad, relu6 as Clip, Squeeze, MatMul and Add,
    a flatten through Shape, Slice, Concat and Reshape). qdq_u8.onnx, qdq_s8.onnx: a net by onnxruntime.quantization.quantize_static.
    Each with NAME.in (4 float32 inputs in the file's order) and NAME.out, by ONNX Runtime without its graph rewriting.

Runs in the environment `onnx` of tools/oracle/setup.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def constant(name, array):
    return numpy_helper.from_array(np.ascontiguousarray(array), name)


def random(generator, *shape):
    return (generator.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) + 1)).astype(np.float32)


def save(path, nodes, inputs, outputs, constants):
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "g", [value(*i) for i in inputs], [value(*o) for o in outputs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def tf_style(path):
    g = np.random.default_rng(2)
    node = helper.make_node
    nodes = [
        node("Sub", ["picture", "half"], ["centred"]),
        node("Transpose", ["centred"], ["nchw"], perm=[0, 3, 1, 2]),
        node("Pad", ["nchw", "pads"], ["padded"]),
        node("Conv", ["padded", "w1", "b1"], ["c1"], strides=[2, 2], kernel_shape=[3, 3]),
        node("Clip", ["c1", "zero", "six"], ["r1"]),
        node("Conv", ["r1", "dw"], ["c2"], group=8, auto_pad="SAME_UPPER", kernel_shape=[3, 3]),
        node("Transpose", ["c2"], ["c2_nhwc"], perm=[0, 2, 3, 1]),
        node("Mul", ["c2_nhwc", "scale"], ["scaled"]),
        node("Sigmoid", ["scaled"], ["gate"]),
        node("Mul", ["scaled", "gate"], ["swish"]),
        node("Transpose", ["swish"], ["swish_nchw"], perm=[0, 3, 1, 2]),
        node("GlobalAveragePool", ["swish_nchw"], ["pooled"]),
        node("Squeeze", ["pooled", "hw"], ["features"]),
        node("MatMul", ["features", "fc1"], ["m1"]),
        node("Add", ["m1", "fb1"], ["side"]),
        node("Shape", ["swish"], ["shape"]),
        node("Slice", ["shape", "start", "end"], ["batch"]),
        node("Concat", ["batch", "rest"], ["target"], axis=0),
        node("Reshape", ["swish", "target"], ["flat"]),
        node("MatMul", ["flat", "fc2"], ["m2"]),
        node("Add", ["m2", "side"], ["logits"]),
        node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    constants = [
        constant("half", np.float32([[[[0.5, 0.4, 0.3]]]])), constant("pads", np.int64([0, 0, 0, 0, 0, 0, 1, 1])),
        constant("w1", random(g, 8, 3, 3, 3)), constant("b1", random(g, 8)), constant("zero", np.float32(0)), constant("six", np.float32(6)),
        constant("dw", random(g, 8, 1, 3, 3)), constant("scale", random(g, 1, 1, 1, 8)), constant("hw", np.int64([2, 3])),
        constant("fc1", random(g, 8, 5)), constant("fb1", random(g, 5)), constant("start", np.int64([0])), constant("end", np.int64([1])),
        constant("rest", np.int64([-1])), constant("fc2", random(g, 8 * 8 * 8, 5)),
    ]
    save(path, nodes, [("picture", ["N", 16, 16, 3])], [("scores", ["N", 5])], constants)


def plain_net(path):
    g = np.random.default_rng(4)
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2], kernel_shape=[3, 3]),
        node("Relu", ["c1"], ["r1"]),
        node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("Add", ["c2", "r1"], ["sum"]),
        node("Relu", ["sum"], ["r2"]),
        node("GlobalAveragePool", ["r2"], ["pool"]),
        node("Flatten", ["pool"], ["flat"], axis=1),
        node("Gemm", ["flat", "fc", "fb"], ["logits"], transB=1),
    ]
    constants = [constant("w1", random(g, 8, 3, 3, 3)), constant("b1", random(g, 8)), constant("w2", random(g, 8, 8, 3, 3)), constant("b2", random(g, 8)),
                 constant("fc", random(g, 5, 8)), constant("fb", random(g, 5))]
    save(path, nodes, [("x", [1, 3, 16, 16])], [("logits", [1, 5])], constants)


def quantize(source, target, activations):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            g = np.random.default_rng(9)
            self.pictures = iter([{"x": g.uniform(0, 1, (1, 3, 16, 16)).astype(np.float32)} for _ in range(20)])

        def get_next(self):
            return next(self.pictures, None)

    quantize_static(source, target, Reader(), quant_format=QuantFormat.QDQ, activation_type=activations, weight_type=QuantType.QInt8, per_channel=True)


def run(path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0]
    shape = [1] + list(feed.shape[1:])
    inputs = np.random.default_rng(1).uniform(0, 1, [4] + shape).astype(np.float32)
    inputs.tofile(path[:-5] + ".in")
    np.concatenate([session.run(None, {feed.name: x})[0] for x in inputs]).tofile(path[:-5] + ".out")


def main():
    from onnxruntime.quantization import QuantType

    path = lambda name: os.path.join(sys.argv[1], name)
    tf_style(path("tf_style.onnx"))
    plain_net(path("plain.onnx"))
    quantize(path("plain.onnx"), path("qdq_u8.onnx"), QuantType.QUInt8)
    quantize(path("plain.onnx"), path("qdq_s8.onnx"), QuantType.QInt8)
    for name in ("tf_style", "plain", "qdq_u8", "qdq_s8"):
        run(path(name + ".onnx"))


if __name__ == "__main__":
    main()
