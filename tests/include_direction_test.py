#!/usr/bin/env python3
"""Fails when a source file includes a folder that docs/architecture.md does not allow, or a library outside its one folder."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ONLY_IN = {"torch/": "src/train", "flatbuffers/": "src/formats/tflite", "google/protobuf": "src/formats/onnx", "hdf5": "src/formats/keras_h5",
           "jpeglib": "src/data", "png.h": "src/data", "curl/": "src/data"}


def table():
    rows = {}
    text = (ROOT / "docs/architecture.md").read_text().split("## Who may include whom")[1].split("## Errors")[0]
    for line in text.splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and re.fullmatch(r"[a-z]+", cells[0]) and cells[0] != "folder":
            rows[cells[0]] = set(cells[1].split())
    return rows


def sources():
    for folder in ("src", "kernels"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".cpp"):
                yield path


def breaches(allowed):
    folders = set(allowed) | {"kernels"}
    for path in sources():
        name = path.relative_to(ROOT)
        own = "kernels" if name.parts[0] == "kernels" else name.parts[1]
        test = path.stem.endswith("_test")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            target = match.group(1)
            for library, home in ONLY_IN.items():
                if target.startswith(library) and not str(name).startswith(home):
                    yield f"{name}:{number}: {target} belongs to {home} alone"
            first = target.split("/")[0]
            if "/" not in target or first not in folders or first == own or test:
                continue
            if own == "kernels" or first not in allowed.get(own, set()):
                yield f"{name}:{number}: {own} may not include {first} ({target})"


def main():
    allowed = table()
    missing = [p.name for p in (ROOT / "src").iterdir() if p.is_dir() and p.name not in allowed]
    found = [f"docs/architecture.md has no row for src/{name}" for name in missing] + list(breaches(allowed))
    torch_files = [p for p in sources() if re.search(r"#\s*include\s*<torch/", p.read_text())]
    if len(torch_files) > 6:
        found.append(f"{len(torch_files)} files include libtorch's headers; six at most")
    print("\n".join(found) or f"{len(allowed)} folders keep to the table")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
