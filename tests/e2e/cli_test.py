#!/usr/bin/env python3
"""The program as a user meets it: verbs, JSON fields, exit codes, messages, files left behind.

    cli_test.py PROGRAM [unittest arguments]     # suites: Basics, Errors, Flow, Zoo, Check, RealData
"""
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def kinglet(*args, limits=None, **kwargs):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=600, preexec_fn=limits, **kwargs)


def as_json(*args, **kwargs):
    done = kinglet(*args, "--json", **kwargs)
    if done.returncode != 0:
        raise AssertionError(f"{args}: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="kinglet_e2e_"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def fails(self, code, *words, args, **kwargs):
        done = kinglet(*args, **kwargs)
        self.assertEqual(done.returncode, code, f"{args}: {done.stdout}{done.stderr}")
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertLessEqual(len(done.stderr.strip().splitlines()), 3, done.stderr)
        self.assertEqual(done.stdout, "")
        return done


class Basics(Case):
    def test_every_verb_has_help_with_examples(self):
        verbs = [line.split("(")[1].split(",")[0] for line in (ROOT / "src/cli/verbs.def").read_text().splitlines() if line.startswith("KINGLET_VERB")]
        self.assertGreater(len(verbs), 8)
        if not (PROGRAM.parent / "kinglet-train").exists():
            verbs.remove("train")
        for verb in verbs:
            done = kinglet(verb, "-h")
            self.assertEqual(done.returncode, 0, verb)
            self.assertIn("xample", done.stdout + done.stderr, verb)

    def test_inspect_shows_an_architecture_before_training(self):
        report = as_json("inspect", "mobilenet_v2_rep@0.35,32x32x3,10")
        self.assertEqual(report["params"], 30874)
        self.assertEqual(report["macs"], 1364288)
        self.assertGreater(report["train_params"], 30874)
        self.assertEqual(report["inputs"][0]["shape"], [1, 32, 32, 3])
        for field in ("file_bytes", "peak_activation_bytes", "outputs", "operators", "labels"):
            self.assertIn(field, report)

    def test_start_up_is_quick_and_small(self):
        model = self.dir / "m.kinglet"
        as_json("export", "resnet8@32x32x3,10", "--to", "kinglet", "-o", model)
        times = []
        for _ in range(9):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.assertEqual(kinglet("inspect", model).returncode, 0)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        rss_kb = peak_rss_kb(model)
        print(f"inspect: min {min(times) * 1e3:.1f} ms of processor time, peak {rss_kb / 1024:.1f} MB")
        if "asan" not in str(PROGRAM):
            self.assertLess(min(times), 0.05)
            self.assertLess(rss_kb, 30 * 1024)


def peak_rss_kb(model):
    pid = os.fork()
    if pid == 0:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.execv(PROGRAM, [str(PROGRAM), "inspect", str(model)])
    return os.wait4(pid, 0)[2].ru_maxrss


class Errors(Case):
    def test_usage(self):
        self.fails(2, "did you mean 'quantize'", args=["quantise"])
        self.fails(2, "did you mean '--threads'", args=["inspect", "x", "--thread", "3"])
        self.fails(2, "--numerics", "litert2", args=["run", "resnet8@32x32x3,10", "a.jpg", "--numerics", "litert3"])
        self.fails(2, "did you mean", args=["inspect", "resnet9@32x32x3,10"])
        self.fails(2, args=["export", "resnet8@32x32x3,10", "--to", "tflit", "-o", self.dir / "x"])
        self.fails(2, "--limit", args=["eval", "resnet8@32x32x3,10", "--data", "drawn_digits", "--limit", -5])
        self.fails(2, "excludes --", args=["eval", "resnet8@32x32x3,10", "--data", "drawn_digits", "--limit", 5, "--doctor"])
        net = "mobilenet_v2_rep@0.35,32x32x1,10"
        self.fails(2, "extension of no format", args=["quantize", net, "--data", "drawn_digits:train", "-o", self.dir / "q.onnxx"])
        self.fails(2, "observer percentile", args=["quantize", net, "--data", "drawn_digits:train", "-o", self.dir / "q.kinglet", "--percentile", 99])
        self.fails(2, "labels go", args=["export", net, "--to", "sscma", "-o", self.dir / "m.json"])

    def test_missing_and_foreign_files(self):
        self.fails(3, "no such file", args=["inspect", self.dir / "none.tflite"])
        (self.dir / "text.tflite").write_text("hello world, this is no model")
        self.fails(3, "text.tflite", args=["inspect", self.dir / "text.tflite"])
        (self.dir / "eight.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3")
        self.fails(3, "eight.tflite", args=["inspect", self.dir / "eight.tflite"])

    def test_every_cut_of_a_tflite_file_is_refused(self):
        model = self.dir / "m.tflite"
        as_json("export", "mobilenet_v2_rep@0.35,32x32x1,10", "--to", "tflite", "-o", model)
        whole = model.read_bytes()
        for share in (0.01, 0.3, 0.6, 0.9):
            cut = self.dir / "cut.tflite"
            cut.write_bytes(whole[: int(len(whole) * share)])
            self.fails(3, "cut.tflite", args=["inspect", cut])

    def test_pictures(self):
        model = self.dir / "m.kinglet"
        as_json("export", "resnet8@32x32x3,10", "--to", "kinglet", "-o", model)
        (self.dir / "a.jpg").write_bytes(b"GIF89a not a jpeg at all")
        self.fails(3, "a.jpg", args=["run", model, self.dir / "a.jpg", "-q"])
        (self.dir / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01")
        self.fails(3, "b.jpg", args=["run", model, self.dir / "b.jpg", "-q"])

    def test_labels_file_of_the_wrong_length(self):
        images, labels = self.dir / "t10k-images-idx3-ubyte", self.dir / "t10k-labels-idx1-ubyte"
        images.write_bytes(struct.pack(">IIII", 0x803, 3, 8, 8) + bytes(3 * 64))
        labels.write_bytes(struct.pack(">II", 0x801, 2) + bytes(2))
        self.fails(3, "labels", args=["eval", "mobilenet_v2_rep@0.35,32x32x1,10", "--data", images, "-q"])

    def test_full_disk_leaves_nothing(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        self.fails(3, "cannot be written", args=["export", "resnet8@32x32x3,10", "--to", "tflite", "-o", self.dir / "m.tflite"], limits=small_files)
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_test_split_is_refused_for_calibration(self):
        self.fails(2, "test", args=["quantize", "mobilenet_v2_rep@0.35,28x28x1,10", "--data", "drawn_digits:test", "-o", self.dir / "m.kinglet", "-q"])


class Zoo(Case):
    def test_every_recipe_names_a_network_and_data_that_exist(self):
        known = {d["name"] for d in as_json("data", "list")["datasets"]}
        recipes = sorted((ROOT / "recipes").glob("*.yaml"))
        self.assertGreater(len(recipes), 8)
        for recipe in recipes:
            keys = dict(line.split(": ", 1) for line in recipe.read_text().splitlines() if ": " in line and line[0] not in " #")
            if "model" in keys:
                self.assertGreater(as_json("inspect", keys["model"], cwd=recipe.parent)["params"], 1000, recipe)
            self.assertIn(keys["data"].split(":")[0], known, recipe)

    def test_list_has_the_fields_that_scripts_read(self):
        models = {m["name"]: m for m in as_json("zoo", "list")["models"]}
        row = models["cifar10_rep035"]
        for key in ("dataset", "n", "float_top1", "int8_top1", "published_float_top1", "published_int8_top1", "params", "macs", "int8_bytes", "arena_bytes"):
            self.assertIn(key, row)
        self.assertEqual((row["n"], row["params"], row["published_int8_top1"]), (10000, 30874, 74.56))

    def test_verify_without_pictures_says_what_it_skipped(self):
        environment = dict(os.environ, KINGLET_DATA=str(self.dir), XDG_CACHE_HOME=str(self.dir))
        done = kinglet("zoo", "verify", "mnist_rep035", "--json", env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        checks = json.loads(done.stdout)["checks"]
        self.assertEqual({c["check"].split(" of ")[0] for c in checks if c["result"] == "skipped"}, {"figures"})
        self.assertEqual(sum(c["result"] == "skipped" for c in checks), 4)
        self.assertGreaterEqual(sum(c["result"] == "ok" for c in checks), 20)

    def test_data_info_shows_what_training_uses(self):
        splits = as_json("data", "info", "drawn_digits")["splits"]
        self.assertEqual(splits["val"]["taken_from"], "train")
        self.assertGreater(splits["val"]["n"], 0)

    def test_names_are_model_arguments(self):
        shipped = as_json("inspect", "mnist_rep035")
        self.assertEqual(shipped["file_bytes"], (ROOT / "models/mnist_rep035/mnist_rep035_int8.tflite").stat().st_size)
        self.assertEqual(as_json("inspect", "mnist_rep035")["params"], 30586)
        self.fails(2, "mnist_rep035", args=["zoo", "show", "mnist_rep053"])

    def test_table_has_every_published_row(self):
        rows = as_json("zoo", "table")["rows"]
        self.assertEqual(len(rows), 31)
        self.assertTrue(all(row["state"] in ("measured", "not comparable", "not there yet") for row in rows))
        page = kinglet("zoo", "table", "--format", "html").stdout
        self.assertEqual(page.count("<tr>"), 32)

    def test_published_names_say_how_to_get_them(self):
        environment = dict(os.environ, XDG_CACHE_HOME=str(self.dir))
        for verb in (["inspect"], ["zoo", "verify"]):
            self.fails(4, "kinglet zoo get seeed_cifar10", args=[*verb, "seeed_cifar10"], env=environment)
        self.fails(2, "kinglet zoo reproduce cifar10_resnet8", args=["zoo", "reproduce", "nxp_tiny_resnet"])
        shown = as_json("zoo", "show", "arm_mobilenet_v2_int8")
        self.assertEqual((len(shown["labels"]), shown["licences"]["code"], shown["publisher"]), (1001, "Apache-2.0", "Arm"))

    def test_unknown_formats_and_names_are_refused(self):
        for verb in ("list", "table"):
            self.fails(2, "nonsense", args=["zoo", verb, "--format", "nonsense"])
        self.fails(2, "mnist_rep035", args=["zoo", "lint", "mnist_rep350"])

    def test_sheets_without_pictures_says_so(self):
        environment = dict(os.environ, KINGLET_DATA=str(self.dir), XDG_CACHE_HOME=str(self.dir))
        done = kinglet("zoo", "sheets", "mnist_rep035", "-o", self.dir / "sheets", "--json", env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((len(json.loads(done.stdout)["files"]), len(json.loads(done.stdout)["skipped"])), (0, 1))

    def test_lint_reads_other_peoples_cards(self):
        card = self.dir / "README.md"
        card.write_text("| Model | Top-1 | Top-5 | FLOPs(M) | Params(M) | Inference(ms) |\n|---|---|---|---|---|---|\n| net | 98.29 | 74.56 | 0.21 | 0.021 | 22 |\n")
        done = kinglet("zoo", "lint", card)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("Top-5", done.stdout)


@unittest.skipUnless((PROGRAM.parent / "kinglet-train").exists(), "built without libtorch")
class Flow(Case):
    RECIPE = "name: tiny\nmodel: mobilenet_v2_rep@0.35,28x28x1,10\ndata: drawn_digits\nepochs: 2\nlimit: 2000\nbatch: 64\nlr: 0.1\nema: 0.98\n"

    def test_misspelt_key_names_line_and_nearest(self):
        recipe = self.dir / "r.yaml"
        recipe.write_text(self.RECIPE + "lable_smoothing: 0.1\n")
        self.fails(3, "r.yaml: line 9", "label_smoothing", args=["train", recipe, "--runs", self.dir / "runs"])
        self.assertFalse((self.dir / "runs").exists())

    def test_card_with_seeds_and_notes_holds_what_verify_asks_for(self):
        recipe = self.dir / "r.yaml"
        recipe.write_text(self.RECIPE)
        best, other = (as_json("train", recipe, f"name=seed{s}", f"seed={s}", "--runs", self.dir / "runs", "--quiet")["best"] for s in (1, 2))
        int8 = self.dir / "m.kinglet"
        as_json("quantize", best, "--data", "drawn_digits:train", "-o", int8, "--calibration-n", 100)
        folder = self.dir / "models" / "tiny"
        as_json("card", int8, "--with", best, "--seed-run", other, "--data", "drawn_digits:test", "--name", "tiny", "-o", folder, "--note", "More epochs would raise it.")
        card = json.loads((folder / "card.json").read_text())
        self.assertEqual([run["seed"] for run in card["seeds"]["runs"]], [1, 2])
        self.assertAlmostEqual(card["seeds"]["mean"]["float32"], sum(run["float32"] for run in card["seeds"]["runs"]) / 2)
        self.assertIn("kinglet train recipe.yaml name=tiny_seed2 seed=2", card["reproduce"])
        self.assertIn("--seed-run runs/tiny_seed2/best.kinglet", card["reproduce"][-1])
        self.assertEqual(card["limits"], ["More epochs would raise it."])
        self.assertTrue(card["training"]["machine"])
        readme = (folder / "README.md").read_text()
        self.assertIn("those of seed 1, not of the mean", readme)
        self.assertIn(f"of {card['training']['machine']} (wall clock", readme)
        shutil.copy(ROOT / "models/published.json", folder.parent)
        checks = as_json("zoo", "verify", "tiny", env={**os.environ, "KINGLET_MODELS": str(folder.parent)})
        self.assertEqual({c["result"] for c in checks["checks"]}, {"ok"})
        self.assertEqual(as_json("zoo", "lint", folder)["findings"], [])
        before = {f.name: f.read_bytes() for f in folder.iterdir()}
        (folder / "README.md").write_text("")
        as_json("card", folder / "card.json")
        self.assertEqual({f.name: f.read_bytes() for f in folder.iterdir()}, before)
        as_json("card", folder / "card.json", "--note", "Another.")
        self.assertIn("- Another.", (folder / "README.md").read_text())
        self.fails(2, "nothing of it is measured", args=["card", folder / "card.json", "--data", "drawn_digits:test"])
        self.fails(2, "--data", args=["card", int8, "-o", folder])

    def test_from_pictures_to_card(self):
        recipe = self.dir / "r.yaml"
        recipe.write_text(self.RECIPE)
        trained = as_json("train", recipe, "--runs", self.dir / "runs", "--quiet")
        best, int8, tflite, float_tflite = pathlib.Path(trained["best"]), self.dir / "m.kinglet", self.dir / "m.tflite", self.dir / "f.tflite"
        self.assertEqual(trained["epochs"], 2)
        report = as_json("quantize", best, "--data", "drawn_digits:train", "-o", int8, "--calibration-n", 100, "--blame", 40)
        self.assertEqual(report["blame"]["n"], 40)
        self.assertIn("stem.conv", {row["name"] for row in report["blame"]["layers"]})
        self.assertEqual(report["calibration_n"], 100)
        self.assertEqual(report["fold_proof"]["label_flips"], 0)
        self.assertLess(report["fold_proof"]["max_output_difference"], 1e-4)
        exported = as_json("export", int8, "--to", "tflite", "-o", tflite)
        self.assertEqual(exported["bytes"], tflite.stat().st_size)
        as_json("export", best, "--to", "tflite", "-o", float_tflite)
        figures = [as_json("eval", m, "--data", "drawn_digits:test") for m in (best, float_tflite, int8, tflite)]
        self.assertGreater(figures[0]["top1"], 60)
        self.assertEqual(figures[0]["confusion"], figures[1]["confusion"])
        self.assertEqual(figures[2]["confusion"], figures[3]["confusion"])
        self.assertLess(abs(figures[0]["top1"] - figures[2]["top1"]), 2)
        self.assertLess(figures[0]["top1_ci95"][0], figures[0]["top1"])
        for source, name, expected in ((best, "f.onnx", 0), (int8, "i.onnx", 2)):
            as_json("export", source, "--to", "onnx", "-o", self.dir / name)
            self.assertEqual(as_json("eval", self.dir / name, "--data", "drawn_digits:test")["confusion"], figures[expected]["confusion"])
        both = as_json("compare", float_tflite, tflite, "--data", "drawn_digits:test")
        self.assertGreater(both["agree"], 0.95 * both["n"])
        self.assertEqual(len(both["flips"]), both["n"] - both["agree"])
        bench = as_json("bench", tflite, "-n", 20, "--layers")
        self.assertLessEqual(bench["min_us"], bench["median_us"])
        self.assertEqual(bench["threads"], 1)
        self.assertIn("computed on one thread", kinglet("bench", tflite, "-n", 1, "--threads", 2).stderr)
        card = as_json("card", int8, "--with", best, "--data", "drawn_digits:test", "--name", "tiny", "-o", self.dir / "card")
        self.assertEqual({pathlib.Path(f).name for f in card["files"]}, {"README.md", "card.html", "card.json", "tiny_int8.tflite", "tiny_float.tflite", "tiny.onnx", "tiny.pth", "labels.txt", "recipe.yaml",
                                                                             "golden_input.bin", "golden_output_int8.bin", "golden_output_float32.bin"})
        self.assertEqual(as_json("zoo", "lint", self.dir / "card")["findings"], [])
        self.assertIn(f"{figures[2]['top1']:.2f}", (self.dir / "card/README.md").read_text())
        self.assertIn("--calibration-n 100 -o", (self.dir / "card/README.md").read_text(), "the commands make this model, not the usual one")
        seen = kinglet("eval", best, "--data", "drawn_digits:train", "--limit", 20, "--mistakes", 0, "--mistake-sheet", self.dir / "none.png")
        self.assertEqual(seen.returncode, 0, seen.stderr)
        self.assertIn("the model was trained on pictures of drawn_digits", seen.stderr)
        self.assertIn("there is no mistake to show", seen.stderr)
        self.assertIn("drawn_digits, split train", seen.stdout)
        mistakes = self.dir / "mistakes.png"
        as_json("eval", tflite, "--data", "drawn_digits:test", "--mistake-sheet", mistakes)
        self.assertEqual(mistakes.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        sheet = self.dir / "sheet.png"
        as_json("eval", tflite, "--data", "drawn_digits:test", "--limit", 20, "--sheet", sheet)
        self.assertEqual(sheet.read_bytes()[:4], b"\x89PNG")
        shown = as_json("run", tflite, sheet)
        self.assertEqual(len(shown[0]["top"]), 5)
        printed = as_json("compile", int8, "--target", "portable", "-o", self.dir / "c")
        self.assertGreater(printed["arena_bytes"], 0)
        self.assertTrue(all(pathlib.Path(f).exists() for f in printed["files"]))

    def test_interrupt_keeps_the_checkpoint(self):
        recipe = self.dir / "r.yaml"
        recipe.write_text(self.RECIPE.replace("epochs: 2", "epochs: 500"))
        child = subprocess.Popen([PROGRAM, "train", recipe, "--runs", self.dir / "runs"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        last = self.dir / "runs/tiny/last.kinglet"
        for _ in range(600):
            if last.exists():
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130)
        self.assertTrue(as_json("inspect", last)["params"] > 0)


@unittest.skipUnless((SHARED / "models").exists(), "needs the models of ../shared")
class Check(Case):
    def model(self):
        if not hasattr(self, "int8"):
            self.int8 = self.dir / "m.kinglet"
            float_model = self.dir / "f.kinglet"
            as_json("export", "mobilenet_v2_rep@0.35,32x32x1,10", "--to", "kinglet", "-o", float_model)
            as_json("quantize", float_model, "--data", "drawn_digits:train", "-o", self.int8, "--io", "int8", "--calibration-n", 20)
        return self.int8

    def test_every_profile_takes_the_firmware_net(self):
        for profile in ("sscma", "tflm", "cmsis-nn", "ethos-u55", "ethos-u65", "esp-nn", "litert", "litert-gpu", "neutron"):
            report = as_json("check", self.model(), "--profile", profile)
            self.assertTrue(report["ok"], report)
            self.assertTrue(report["sources"][0].startswith("https://"), profile)
            for finding in report["findings"]:
                self.assertLessEqual({"severity", "node", "reason", "hint"}, finding.keys())

    def test_float_models_do_not_run_on_an_npu(self):
        done = kinglet("check", "resnet8@32x32x3,10", "--profile", "ethos-u55", "--json")
        self.assertEqual(done.returncode, 1)
        report = json.loads(done.stdout)
        self.assertFalse(report["ok"])
        self.assertIn("kinglet quantize", report["findings"][0]["hint"])
        shown = kinglet("check", "resnet8@32x32x3,10", "--profile", "ethos-u55").stdout
        self.assertIn("would not run as it is", shown)
        self.fails(2, "did you mean 'ethos-u55'", args=["check", "resnet8@32x32x3,10", "--profile", "ethos-u5"])

    def test_takes_tensors_without_a_network(self):
        tensors = self.dir / "t.safetensors"
        as_json("export", "resnet8@32x32x3,10", "--to", "safetensors", "-o", tensors)
        self.assertTrue(as_json("check", tensors, "--arch", "resnet8", "--profile", "tflm")["ok"])

    def test_export_to_the_firmware(self):
        out = self.dir / "firmware.tflite"
        file = as_json("export", self.model(), "--to", "sscma", "-o", out)
        self.assertEqual(file["bytes"], out.stat().st_size)
        labels = json.loads((self.dir / "firmware.json").read_text())
        self.assertEqual((labels["sha256"], labels["input"]["channels"]), (file["sha256"], 1))
        value = as_json("inspect", out)["inputs"][0]
        self.assertEqual((value["dtype"], value["zero_point"]), ("int8", -128))
        self.assertAlmostEqual(value["scale"], 1 / 255, places=9)
        self.fails(1, "SSCMA firmware", "float32", "kinglet quantize", args=["export", "resnet8@32x32x3,10", "--to", "sscma", "-o", self.dir / "f.tflite"])
        self.assertFalse((self.dir / "f.tflite").exists())


class RealData(Case):
    GOLDEN = SHARED / "models/golden"

    @staticmethod
    def input_bytes(k, n):
        if k < 2:
            return bytes([0, 255][k : k + 1]) * n
        if k == 2:
            return bytes(255 * (i & 1) for i in range(n))
        if k == 3:
            return bytes(i & 255 for i in range(n))
        if k == 4:
            return bytes(((i * i & 0xFFFFFFFF) >> 8) & 255 for i in range(n))
        mask, out = (1 << 64) - 1, bytearray()
        for j in range(1, n // 8 + 2):
            z = (k + j * 0x9E3779B97F4A7C15) & mask
            z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
            out += (z ^ z >> 31).to_bytes(8, "little")
        return bytes(out[:n])

    def raw(self, model, count, n, convert):
        (self.dir / "in").write_bytes(b"".join(convert(self.input_bytes(k, n)) for k in range(count)))

    def test_raw_run_equals_the_frozen_outputs(self):
        signed = bytes.maketrans(bytes(range(256)), bytes(b ^ 0x80 for b in range(256)))
        for name, n in (("seeed/cifar10_rep035_int8", 3072), ("seeed/mnist_rep035_int8", 1024), ("mlperf_tiny/resnet8_int8", 3072), ("mlperf_tiny/vww_96_int8", 27648)):
            stem = name.split("/")[1]
            (self.dir / "in").write_bytes(b"".join(self.input_bytes(k, n).translate(signed) for k in range(60)))
            for numerics, suffix in (("tflm", ""), ("tflite214", ""), ("litert2", ".litert2")):
                golden = self.GOLDEN / "litert" / f"{stem}{suffix}.out"
                if not golden.exists():
                    golden = self.GOLDEN / "litert" / f"{stem}.out"
                for engine in ("session", "portable"):
                    done = as_json("run", SHARED / f"models/{name}.tflite", "--raw-input", self.dir / "in", "--raw-output", self.dir / "out", "--numerics", numerics, "--engine", engine)
                    self.assertEqual(done["n"], 60)
                    got = (self.dir / "out").read_bytes()
                    self.assertEqual(got, golden.read_bytes()[: len(got)], f"{stem} {numerics} {engine}")

    def test_published_figures_on_all_ten_thousand(self):
        for name, top1, top5 in (("seeed/cifar10_rep035_int8", 74.28, 98.10), ("mlperf_tiny/resnet8_int8", 87.07, 99.15)):
            report = as_json("eval", SHARED / f"models/{name}.tflite", "--data", "cifar10:test", "--raw-output", self.dir / "out")
            self.assertEqual(report["n"], 10000)
            self.assertAlmostEqual(report["top1"], top1, places=2)
            self.assertAlmostEqual(report["top5"], top5, places=2)
            golden = self.GOLDEN / "cifar10_test" / (name.split("/")[1] + ".out")
            self.assertEqual((self.dir / "out").read_bytes(), golden.read_bytes())
            print(f"{name}: {report['images_per_s']:.0f} pictures/s")

    def test_doctor_finds_swapped_colours(self):
        model = SHARED / "models/mlperf_tiny/resnet8_int8.tflite"
        args = ["eval", model, "--data", "cifar10:test", "--doctor"]
        report = as_json(*args, "--input", "order=bgr")
        doctor = report["doctor"]
        self.assertEqual((report["n"], doctor["flag"]), (400, "order=rgb"), doctor["verdict"])
        self.assertGreater(doctor["cures"][0]["top1_ci95"][0], report["top1_ci95"][1])
        self.assertLess(doctor["cures"][0]["p_value"], 1e-6)
        self.assertIn("--input order=rgb", kinglet(*args, "--input", "order=bgr", "-q").stdout)
        well = as_json(*args)["doctor"]
        self.assertEqual((well["flag"], well["cures"]), ("", []), well["verdict"])
        self.assertIn("Nothing tried is better for sure", well["verdict"])
        both = as_json(*args, "--input", "order=bgr,divisor=255", "--doctor-n", 600)["doctor"]
        self.assertEqual(len(both["cures"]), 2, both["verdict"])
        self.assertIn("order=rgb", both["flag"])
        self.assertIn("divisor=1", both["flag"])

    def test_known_files_need_no_flags(self):
        report = as_json("eval", SHARED / "models/mlperf_tiny/resnet8_float.tflite", "--data", "cifar10:test", "--limit", 500)
        self.assertGreater(report["top1"], 80)
        self.assertEqual(report["warnings"], [])
        spec = as_json("inspect", SHARED / "models/coral/tf2_mobilenet_v2_1.0_224_ptq.tflite")
        self.assertEqual(spec["input_contract"]["origins"]["crop"], "known_file")
        self.assertEqual((len(spec["labels"]), spec["labels"][0]), (1001, "background"))
        copy = self.dir / "touched.tflite"
        copy.write_bytes((SHARED / "models/mlperf_tiny/resnet8_float.tflite").read_bytes() + b"x")
        done = kinglet("eval", copy, "--data", "cifar10:test", "--limit", 20)
        self.assertIn("nothing in the file says how pictures become its input: order, divisor, mean, std are only assumed", done.stderr)

    def test_the_published_seven(self):
        shown = as_json("run", SHARED / "models/seeed/mnist_rep035_int8.tflite", SHARED / "models/seeed/mnist_7.jpg", "-q")
        self.assertEqual(shown[0]["top"][0]["index"], 7)
        self.assertAlmostEqual(shown[0]["top"][0]["score"], 255 / 256, places=6)

    def test_buffer_index_out_of_range(self):
        whole = bytearray((SHARED / "models/mlperf_tiny/resnet8_int8.tflite").read_bytes())
        refused = 0
        for at in range(len(whole) - 20000, len(whole) - 4, 1000):
            damaged = bytearray(whole)
            damaged[at : at + 4] = b"\xff\xff\xff\x7f"
            (self.dir / "d.tflite").write_bytes(damaged)
            done = kinglet("inspect", self.dir / "d.tflite")
            self.assertIn(done.returncode, (0, 3), done.stderr)
            refused += done.returncode == 3
        self.assertGreater(refused, 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:], verbosity=2)
