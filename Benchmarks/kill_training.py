"""Kills training at random moments, and checks that it ends with the weights of an undisturbed run.

    swift build -c release --product albef
    python Benchmarks/kill_training.py --program .build/release/albef [--kills 20] [--seed N]

The script makes a tiny data set and trains a tiny model on it: once undisturbed, then again while
it sends SIGKILL repeatedly, at any moment from the start of the program on, and resumes with
--resume. When a run ends before all kills are spent, the script compares it and begins another one.
It compares the SHA-256 of model.safetensors, training.safetensors and progress.json of the last
checkpoint, and of model.safetensors of the best one. Exits with 1 if any differ.
"""

import argparse
import hashlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

WORDS = "red blue green old new small large dog cat bus tree house street water sky man".split()
COMPARED = [
    "last/model.safetensors", "last/training.safetensors", "last/progress.json",
    "best/model.safetensors"]

SETTINGS = """
model: {vocabulary: vocab.txt, image_size: 32, patch_size: 16, image_width: 16, image_depth: 1,
  image_heads: 2, text_width: 16, text_depth: 1, fusion_depth: 1, text_heads: 2, positions: 16,
  maximum_tokens: 12, embedding_width: 8}
data: {train: [train.json], validation: [validation.json]}
objectives: {contrastive: {queue: 10}, teacher: {momentum: 0.9}}
optimizer: {learning_rate: 1.0e-3, warmup_steps: 4}
training: {epochs: EPOCHS, batch_size: 4, device: cpu, log_steps: 3, checkpoint_steps: 3}
evaluation: {steps: 20, depth: 2}
"""


def bitmap(seed, side=40):
    draw = random.Random(seed)
    pixels = draw.randbytes(side * side * 3)
    return (
        struct.pack("<2sIII", b"BM", 54 + len(pixels), 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
        + pixels
    )


def write_data(folder, epochs):
    draw = random.Random(1)

    def entries(first, count):
        for index in range(first, first + count):
            (folder / f"{index}.bmp").write_bytes(bitmap(index))
            captions = [" ".join(draw.sample(WORDS, 4)) for _ in range(2)]
            yield {"image": f"{index}.bmp", "caption": captions}

    for name, first, count in [("train", 0, 24), ("validation", 24, 6)]:
        (folder / f"{name}.json").write_text(json.dumps(list(entries(first, count))))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens))
    (folder / "settings.yaml").write_text(SETTINGS.replace("EPOCHS", str(epochs)))


def digests(run):
    return {
        name: hashlib.sha256((run / name).read_bytes()).hexdigest()
        for name in COMPARED
    }


def start(program, folder, run):
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    errors = open(folder / "errors.txt", "w")
    return subprocess.Popen(
        [program, "pretrain", "--config", "settings.yaml", "--run", run, "--resume"],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors,
    )


def finished(process, folder):
    """Whether the program ended by itself; exits if it failed for another reason."""
    if process.returncode == 0:
        return True
    if process.returncode != -signal.SIGKILL:
        text = (folder / "errors.txt").read_text()
        sys.exit(f"ended with {process.returncode} instead of resuming:\n{text}")
    return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None, help="seed of the moments of the kills")
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder, options.epochs)
        began = time.monotonic()
        process = start(program, folder, "undisturbed")
        process.wait()
        finished(process, folder)
        duration = time.monotonic() - began
        expected = digests(folder / "undisturbed")
        print(f"undisturbed: {6 * options.epochs} steps in {duration:.1f} s")
        for file, digest in expected.items():
            print(f"  {digest}  {file}")

        kills, runs, equal = 0, 0, True
        while kills < options.kills:
            runs += 1
            run = folder / f"run-{runs}"
            while True:
                process = start(program, folder, run.name)
                if kills < options.kills:
                    moment = moments.uniform(0, min(duration, 2.5))
                    try:
                        process.wait(moment)
                    except subprocess.TimeoutExpired:
                        process.kill()
                process.wait()
                if finished(process, folder):
                    break
                kills += 1
                link = run / "last"
                where = os.readlink(link) if link.is_symlink() else "no checkpoint yet"
                print(f"kill {kills:2} of run {runs} after {moment:.2f} s: {where}", flush=True)
            found = digests(run)
            for file, digest in found.items():
                if digest != expected[file]:
                    equal = False
                    print(f"  {digest}  {file} DIFFERS")
            left = sorted(path.name for path in (run / "checkpoints").iterdir())
            print(f"run {runs} finished; checkpoints kept: {', '.join(left)}")
        print(f"{kills} kills in {runs} runs: weights are {'equal' if equal else 'NOT equal'}")
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
