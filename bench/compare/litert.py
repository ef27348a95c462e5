#!/usr/bin/env python3
"""Latency of one picture in TensorFlow Lite's optimized interpreter (XNNPACK where the package has it), one thread.

    litert.py MODEL [RUNS]      prints min, median and p95 in microseconds as JSON
"""
import json
import sys
import time

import numpy

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    from tflite_runtime.interpreter import Interpreter

model, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 500
interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
entry = interpreter.get_input_details()[0]
noise = numpy.random.default_rng(1).integers(0, 256, entry["shape"], dtype=numpy.uint8)
interpreter.set_tensor(entry["index"], noise.view(entry["dtype"]) if entry["dtype"] == numpy.int8 else noise.astype(entry["dtype"]))
times = []
for _ in range(20 + runs):
    start = time.perf_counter_ns()
    interpreter.invoke()
    times.append((time.perf_counter_ns() - start) / 1000)
times = sorted(times[20:])
print(json.dumps({"min_us": times[0], "median_us": times[runs // 2], "p95_us": times[int(runs * 0.95)]}))
