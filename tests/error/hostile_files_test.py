#!/usr/bin/env python3
"""Hostile model files end in one sentence and exit code 3, within a second of processor time and a gigabyte.

    hostile_files_test.py PROGRAM
"""
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
import zlib

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
SANITIZED = "asan" in str(PROGRAM)


def inspect(path):
    """Exit code, stderr, processor seconds (children included) and peak bytes of `kinglet inspect`."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen([PROGRAM, "inspect", path], stdout=subprocess.DEVNULL, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        return child.returncode, log.read().decode(errors="replace"), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


class HostileFiles(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="kinglet_hostile_"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.worst_s, self.worst_bytes = 0.0, 0

    def tearDown(self):
        print(f"{self.id().split('.')[-1]}: at most {self.worst_s:.2f} s of processor time, {self.worst_bytes / 2**20:.0f} MiB")

    def refused(self, name, data, may_pass=False):
        path = self.dir / name
        if data is not None:
            path.write_bytes(data)
        code, message, seconds, peak = inspect(path)
        self.worst_s, self.worst_bytes = max(self.worst_s, seconds), max(self.worst_bytes, peak)
        self.assertIn(code, (0, 3) if may_pass else (3,), f"{name}: {message}")
        self.assertLessEqual(len(message.strip().splitlines()), 3, message[:500])
        if code == 3:
            self.assertIn(name, message)
            self.assertLess(len(message), 2000)
        if not SANITIZED:
            self.assertLess(seconds, 1.0, name)
            self.assertLess(peak, 2**30, name)

    def sound(self, format):
        path = self.dir / ("sound." + format)
        done = subprocess.run([PROGRAM, "export", "resnet8@32x32x3,10", "--to", format, "-o", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path.read_bytes()

    def zip_of(self, **files):
        path = self.dir / "z.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr("archive/" + name.replace("__", "/").replace("_pkl", ".pkl"), data)
        return path.read_bytes()

    def tensor(self, numel, size, stride):
        return (b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
                + b"I%d\ntQK\x00(I%d\nt(I%d\nt\x89NtRs." % (numel, size, stride))

    def test_zip_bombs(self):
        self.refused("pickle.pth", self.zip_of(data_pkl=b"N" * (200 << 20)))
        self.refused("storage.pth", self.zip_of(data_pkl=self.tensor(50_000_000, 50_000_000, 1), data__0=bytes(200_000_000)))
        forged = bytearray(self.zip_of(data_pkl=b"N."))
        at = forged.rfind(b"PK\1\2")
        forged[at + 24:at + 28] = struct.pack("<I", 0xFFFFFFF0)
        self.refused("forged.pth", bytes(forged))

    def test_pickles(self):
        self.refused("expand.pth", self.zip_of(data_pkl=self.tensor(4, 1 << 38, 0), data__0=bytes(16)))
        self.refused("deep.pth", self.zip_of(data_pkl=b"]" * 900_000 + b"a" * 899_999 + b"."))
        self.refused("objects.pth", self.zip_of(data_pkl=b"(" + b"}" * 5_000_000 + b"t."))
        self.refused("doubling.pth", self.zip_of(data_pkl=b"]q\x01" + b"](h\x01h\x01eq\x01" * 1000 + b"."))
        self.refused("program.pth", self.zip_of(data_pkl=b"cos\nsystem\n(X\x08\x00\x00\x00touch /xtR."))
        self.assertFalse(os.path.exists("/x"))
        self.refused("texts.pth", self.zip_of(data_pkl=b"X" + struct.pack("<I", 1 << 20) + bytes(1 << 20) + b"q\x01" + b"c_codecs\nencode\nh\x01\x85R" * 100_000 + b"."))

    def test_cut_and_overwritten_files(self):
        draw = random.Random(1)
        for format in ("tflite", "onnx", "pth", "safetensors", "kinglet"):
            data = self.sound(format)
            for i in range(4):
                self.refused(f"cut{i}.{format}", data[: draw.randrange(8, len(data) - 8)])
            for i in range(12):
                spoiled = bytearray(data)
                for _ in range(8):
                    at = draw.randrange(0, min(len(data) - 8, 4096))
                    spoiled[at:at + 4] = struct.pack("<I", draw.choice([0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, len(data), 1 << 30]))
                self.refused(f"overwritten{i}.{format}", bytes(spoiled), may_pass=True)

    def test_nesting(self):
        header = b'{"__metadata__":' + b"[" * 2_000_000
        self.refused("deep.safetensors", struct.pack("<Q", len(header)) + header)
        header = b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
        self.refused("huge.safetensors", struct.pack("<Q", len(header)) + header)
        index = b'{"name":"x","values":[],"nodes":[],"inputs":[],"outputs":[],"provenance":' + b"[" * 200_000 + b"]" * 200_000 + b',"labels":[]}'
        self.refused("deep.kinglet", kinglet_file(index))
        message = b""
        for _ in range(3000):  # a graph within an attribute within a node within a graph ...
            message = field(1, field(5, field(6, message)))
        self.refused("deep.onnx", b"\x08\x08" + field(7, message) + field(8, b"\x10\x0d"))

    def test_keras_files(self):
        self.refused("empty.h5", b"\x89HDF\r\n\x1a\n" + bytes(4096))
        sound = SHARED / "models/mlperf_tiny/resnet8.h5"
        if not sound.exists():
            return
        data, draw = sound.read_bytes(), random.Random(2)
        for i in range(12):
            spoiled = bytearray(data)
            for _ in range(40):
                at = draw.randrange(8, 6000 if i % 2 else len(data) - 8)
                spoiled[at:at + 4] = struct.pack("<I", draw.choice([0, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 30, draw.randrange(1 << 32)]))
            self.refused(f"spoiled{i}.h5", bytes(spoiled), may_pass=True)
        self.refused("cut.h5", data[:50_000])


def field(number, payload):
    """A length-delimited field of protobuf."""
    size, varint = len(payload), b""
    while size >= 0x80:
        varint += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + varint + bytes([size]) + payload


def kinglet_file(index):
    """A .kinglet file with this index, no constants and right checksums."""
    def align(n):
        return (n + 63) // 64 * 64
    header_bytes = align(16 + 2 * 48 + 4)
    constants_at = align(header_bytes + len(index))
    head = b"KINGLET1" + struct.pack("<II", 1, 2)
    for name, at, data in ((b"index", header_bytes, index), (b"constants", constants_at, b"")):
        head += name.ljust(24, b"\0") + struct.pack("<QQII", at, len(data), zlib.crc32(data), 0)
    head += struct.pack("<I", zlib.crc32(head))
    return head.ljust(header_bytes, b"\0") + index.ljust(constants_at - header_bytes, b"\0")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
