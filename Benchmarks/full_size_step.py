"""Measures a training step of the paper's model: processor time, memory, and the checkpoint.

    python3 Benchmarks/full_size_step.py IMAGES VOCABULARY [--batches 4 12] [--steps 4]

Runs `albef pretrain --preset albef` on one thread, once per batch size (2 at least), over images of
the folder IMAGES with invented captions. Takes the processor time of the process from one line of
its log to the next, so the time of loading and augmenting the images is in it, and other programs
are not. Prints JSON: for each batch size the least time of a step, from the second on, and from the
first and the last size the time per step and per pair, seconds = a + b * pairs.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

CAPTION = "{} people with a dog walk along a street in the rain, under umbrellas, past a bus {}"


def processor_seconds(process):
    total = 0
    for thread in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[0])
        except OSError:  # the thread has ended
            pass
    return total / 1e9


def peak_gigabytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9


def measure(options, batch, folder):
    files = sorted(options.images.resolve().glob("*.jpg"))[: batch * options.steps]
    if len(files) < batch * options.steps:
        sys.exit(f"{options.images}: needs {batch * options.steps} JPEGs, has {len(files)}")
    data = folder / "train.json"
    data.write_text(json.dumps([
        {"image": str(file), "caption": CAPTION.format(number % 7, number)}
        for number, file in enumerate(files)]))
    run = folder / f"run-{batch}"
    settings = {
        "model.vocabulary": options.vocabulary.resolve(), "data.train": f"[{data}]",
        "training.batch_size": batch, "training.epochs": 1, "training.log_steps": 1,
        "training.device": "cpu"}
    command = [options.program, "pretrain", "--preset", "albef", "--run", run, "--threads", "1"]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    errors = open(folder / "errors", "w")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
    log, seen, times, peak = run / "metrics.jsonl", 0, [], 0
    while process.poll() is None:
        time.sleep(0.02)
        # A run also logs evaluations; a line that is being written has no end yet.
        lines = log.read_text().split("\n")[:-1] if log.exists() else []
        steps = sum(json.loads(line)["kind"] == "step" for line in lines)
        if steps > seen:
            seen = steps
            times.append(processor_seconds(process))
            peak = max(peak, peak_gigabytes(process))
    if process.returncode or len(times) != options.steps:
        print((folder / "errors").read_text(), file=sys.stderr)
        sys.exit(f"training ended with {process.returncode} after {len(times)} lines of its log")
    checkpoint = (run / "last").resolve()
    sizes = {file.name: file.stat().st_size for file in checkpoint.iterdir()}
    parts = json.loads((run / "parts.json").read_text())
    seconds = min(b - a for a, b in zip(times, times[1:]))
    return {"pairs": batch, "seconds": round(seconds, 2), "peak_gb": round(peak, 2),
            "checkpoint_bytes": sizes["model.safetensors"] + sizes["training.safetensors"],
            "parameters": sum(row["parameters"] for row in parts["rows"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("vocabulary", type=pathlib.Path)
    parser.add_argument("--program", default=".build/release/albef")
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 12])
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in options.batches:
            rows.append(measure(options, batch, pathlib.Path(folder)))
    first, last = rows[0], rows[-1]
    result = {"steps": rows}
    if first["pairs"] != last["pairs"]:
        pair = (last["seconds"] - first["seconds"]) / (last["pairs"] - first["pairs"])
        result |= {"seconds_per_pair": round(pair, 3),
                   "seconds_per_step": round(first["seconds"] - pair * first["pairs"], 2)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
