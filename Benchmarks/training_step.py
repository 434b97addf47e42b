"""Times one training step of a tiny ALBEF in LAVIS and in another program, round by round.

    python Benchmarks/training_step.py --program 'PATH [ARGUMENTS]' [--rounds 3] [--threads 2]

The pip lines are in lavis_albef.py. The model: 64 pixels in patches of 8, width 192, 6 ViT blocks,
3 + 3 BERT layers, 3 heads, 2,000 tokens, batches of 64 with texts of 16 tokens, a queue of 4,096,
256 aligned features, dropout 0.1, AdamW. A step zeroes the gradients, and runs the forward pass
with the update of the momentum teacher and the soft targets, the backward pass and the optimizer.

The script runs PROGRAM with `--steps N --warmup N`. The last line that PROGRAM prints must be a
JSON object with "seconds_per_step" (the median of its steps), "peak_resident_mb" and "losses". Each
side runs in its own process, alternating, with OMP_NUM_THREADS and MKL_NUM_THREADS set; compare the
ratios of the rounds rather than the times. On a busy machine use --threads 1: with more threads
than free cores, torch waits for itself and takes up to ten times as long. Without --program, only
LAVIS is timed.
"""

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time

import thresholds

CONFIGURATION = {
    "dialect": "lavis", "task": "pretraining", "embedding_width": 256,
    "vision": {"image_size": 64, "patch_size": 8, "width": 192, "depth": 6, "heads": 3,
               "mlp_width": 768, "layer_norm_epsilon": 1e-6},
    "text": {"vocabulary_size": 2000, "width": 192, "depth": 6, "fusion_layer": 3, "heads": 3,
             "mlp_width": 768, "positions": 64, "layer_norm_epsilon": 1e-12},
}
BATCH, TOKENS, QUEUE = 64, 16, 4096


def reference(steps, warmup):
    """Times LAVIS in this process, and prints the result as PROGRAM does."""
    import torch
    from lavis_albef import GivenTokens, pretraining_model

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    model = pretraining_model(CONFIGURATION, QUEUE, dropout=0.1).train()
    ids = torch.randint(5, CONFIGURATION["text"]["vocabulary_size"], (BATCH, TOKENS))
    ids[:, 0], ids[:, -1] = 2, 3
    model.tokenizer = GivenTokens(ids, torch.ones_like(ids))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": 0.02},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0}], lr=1e-4)
    pixels = torch.randn(BATCH, 3, 64, 64)
    seconds, losses = [], []
    for step in range(warmup + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = model({"image": pixels, "text_input": None, "epoch": 0, "iters": step,
                      "num_iters_per_epoch": 100}).loss
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 4))
        if step >= warmup:
            seconds.append(time.perf_counter() - start)
    # In bytes on macOS, in kilobytes elsewhere.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({"seconds_per_step": statistics.median(seconds),
                      "peak_resident_mb": round(peak, 1), "losses": losses}))


def measured(command, options):
    command = command + ["--steps", str(options.steps), "--warmup", str(options.warmup)]
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    run = subprocess.run(
        command, env=os.environ | threads, stdout=subprocess.PIPE, text=True)
    lines = run.stdout.strip().split("\n")
    try:
        if run.returncode:
            raise ValueError(f"exit status {run.returncode}")
        result = json.loads(lines[-1])
        return {name: result[name] for name in ("seconds_per_step", "peak_resident_mb", "losses")}
    except (ValueError, KeyError) as error:
        sys.exit(f"{command[0]}: {error!r}; its last line: {lines[-1]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--reference", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reference:
        return reference(options.steps, options.warmup)

    sides = {"LAVIS": [sys.executable, os.path.abspath(__file__), "--reference"]}
    if options.program:
        sides["program"] = shlex.split(options.program)
    results = {name: [] for name in sides}
    print(f"{options.threads} threads; each round: {options.warmup} steps to warm up, "
          f"the median of {options.steps}")
    for number in range(options.rounds):
        # The side that comes first may find the machine cooler, so alternate.
        for name in list(sides)[:: -1 if number % 2 else 1]:
            results[name].append(measured(sides[name], options))
        line = "  ".join(
            f"{name} {rows[-1]['seconds_per_step']:.4f} s" for name, rows in results.items())
        if options.program:
            line += f"  ratio {ratios(results)[-1]:.3f}"
        print(f"round {number + 1}: {line}", flush=True)
    for name, rows in results.items():
        seconds = statistics.median(row["seconds_per_step"] for row in rows)
        peak = max(row["peak_resident_mb"] for row in rows)
        losses = rows[-1]["losses"]
        print(f"{name}: median {seconds:.4f} s per step, peak {peak:.0f} MB resident, "
              f"loss {losses[0]:.3f} to {losses[-1]:.3f} in {len(losses)} steps")
    if options.program:
        ratio = statistics.median(ratios(results))
        print(f"ratio, median of {options.rounds} pairs: {ratio:.3f} "
              "(below 1: the program is faster)")
        thresholds.check("training_step", ratio)


def ratios(results):
    return [ours["seconds_per_step"] / theirs["seconds_per_step"]
            for theirs, ours in zip(results["LAVIS"], results["program"])]


if __name__ == "__main__":
    main()
