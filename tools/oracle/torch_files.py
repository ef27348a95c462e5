#!/usr/bin/env python3
"""PyTorch's side of the .pth tests: writes checkpoints of every kind, and loads what Kinglet wrote. Used by tests only.

torch_files.py make FOLDER
    A MobileNetV2 of torchvision (10 classes, random weights and statistics) as zip.pth, legacy.pth, checkpoint.pth (wrapped in
    DataParallel, with optimizer and arguments), half.pth; its input (1x64x64x3 float32, NHWC) and its scores as input.bin, output.bin.
    Other nets of torchvision as NAME.pth with NAME.nhwc and NAME.scores.
torch_files.py export FOLDER
    clip.onnx and others: nets through torch.onnx.export, each with NAME.in and NAME.out (NCHW).
torch_files.py load FILE INPUT OUTPUT
    torch.load(weights_only=True), load_state_dict(strict=True) into the same network, scores for INPUT.

Needs torch and torchvision (Debian: python3-torch python3-torchvision).
"""

import argparse
import os
import sys

import numpy as np
import torch
import torchvision


def spread(net):
    """Statistics and scales as different from their defaults as after training."""
    for module in net.eval().modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.1, 0.1)
    return net


def network():
    torch.manual_seed(5)
    return spread(torchvision.models.mobilenet_v2(num_classes=10))


def scores(net, nhwc):
    with torch.no_grad():
        return torch.softmax(net(torch.from_numpy(nhwc).permute(0, 3, 1, 2)), 1).numpy()


def make(folder):
    net = network()
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    picture.tofile(os.path.join(folder, "input.bin"))
    scores(net, picture).astype(np.float32).tofile(os.path.join(folder, "output.bin"))
    path = lambda name: os.path.join(folder, name)
    torch.save(net.state_dict(), path("zip.pth"))
    torch.save(net.state_dict(), path("legacy.pth"), _use_new_zipfile_serialization=False)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net.train()(torch.zeros(2, 3, 64, 64)).sum().backward()
    optimizer.step()
    state = {"module." + key: value for key, value in network().state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state, "optimizer": optimizer.state_dict(), "args": argparse.Namespace(lr=0.1),
                "best": np.float64(71.5), "history": np.arange(3)}, path("checkpoint.pth"))
    torch.save({key: value.half() if value.is_floating_point() else value for key, value in network().state_dict().items()}, path("half.pth"))
    for name, build in (("mnasnet0_75", torchvision.models.mnasnet0_75), ("mobilenet_v3_small", torchvision.models.mobilenet_v3_small),
                        ("squeezenet1_1", torchvision.models.squeezenet1_1)):
        net = spread(build(num_classes=10))
        torch.save(net.state_dict(), path(name + ".pth"))
        picture.tofile(path(name + ".nhwc"))
        scores(net, picture).astype(np.float32).tofile(path(name + ".scores"))


class Squeeze(torch.nn.Module):
    def __init__(self, act, gate):
        super().__init__()
        self.act, self.gate = act, gate
        self.conv = torch.nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.norm = torch.nn.BatchNorm2d(8)
        self.down, self.up = torch.nn.Conv2d(8, 4, 1), torch.nn.Conv2d(4, 8, 1)
        self.fc = torch.nn.Linear(8, 5)

    def forward(self, x):
        x = self.act(self.norm(self.conv(x)))
        x = x * self.gate(self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True)))))
        return self.fc(torch.nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Branches(torch.nn.Module):
    """Concatenation, splitting, enlarging, max pooling and a flattened picture."""

    def __init__(self):
        super().__init__()
        self.a, self.b = torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(3, 4, 3, padding=1)
        self.fc = torch.nn.Linear(8 * 8 * 8, 5)

    def forward(self, x):
        x = torch.cat([self.a(x), self.b(x)], 1)
        left, right = torch.split(x, 4, 1)
        x = torch.cat([torch.relu(left), right * torch.sigmoid(right)], 1)
        x = torch.nn.functional.interpolate(torch.nn.functional.max_pool2d(x, 4), scale_factor=2, mode="nearest")
        return torch.softmax(self.fc(x.flatten(1)), 1)


def exported_nets():
    yield "clip", torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2, 1), torch.nn.ReLU6(), torch.nn.AvgPool2d(2), torch.nn.Flatten(), torch.nn.Linear(64, 5), torch.nn.Softmax(1))
    yield "hard_swish", Squeeze(torch.nn.Hardswish(), torch.nn.Hardsigmoid())
    yield "swish", Squeeze(torch.nn.SiLU(), torch.nn.Sigmoid())
    yield "branches", Branches()
    yield "mobilenet_v2", torchvision.models.mobilenet_v2(num_classes=5)
    yield "mobilenet_v3", torchvision.models.mobilenet_v3_small(num_classes=5)
    yield "squeezenet", torchvision.models.squeezenet1_1(num_classes=5)
    yield "mnasnet", torchvision.models.mnasnet0_75(num_classes=5)


def export_onnx(folder):
    for name, net in exported_nets():
        torch.manual_seed(3)
        spread(net)
        x = torch.rand(1, 3, *((16, 16) if name in ("clip", "branches", "hard_swish", "swish") else (64, 64)))
        torch.onnx.export(net, x, os.path.join(folder, name + ".onnx"), opset_version=13, input_names=["x"], dynamic_axes={"x": {0: "N"}})
        x.numpy().tofile(os.path.join(folder, name + ".in"))
        with torch.no_grad():
            net(x).numpy().tofile(os.path.join(folder, name + ".out"))


def load(file, source, target):
    net = network()
    net.load_state_dict(torch.load(file, weights_only=True), strict=True)
    scores(net, np.fromfile(source, np.float32).reshape(1, 64, 64, 3)).astype(np.float32).tofile(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["make", "export", "load"])
    parser.add_argument("paths", nargs="+")
    args = parser.parse_args()
    {"make": make, "export": export_onnx, "load": load}[args.verb](*args.paths)


if __name__ == "__main__":
    sys.exit(main())
