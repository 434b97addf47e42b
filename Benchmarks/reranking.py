"""Times re-ranking in LAVIS and in this project, alternating in one run.

    python Benchmarks/reranking.py [--rounds 3] [--threads 2] [--candidates 20 64 128]

The pip lines are in lavis_albef.py; build this project's side with
`swift build -c release --package-path Benchmarks --product reranking`.

Both have the paper's fusion encoder: six text layers and six fusion layers, width 768, twelve
heads. LAVIS repeats the text for every candidate and runs all twelve layers; the third column
leaves out its text layers, as the original program does. Ours begins with an encoded text, and with
image tokens in half precision, as an index stores them.
"""

import argparse
import os
import statistics
import subprocess
import time

import thresholds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="Benchmarks/.build/release/reranking")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, nargs="+", default=[8, 12, 25])
    parser.add_argument("--patches", type=int, nargs="+", default=[257, 577])
    parser.add_argument("--candidates", type=int, nargs="+", default=[20, 64, 128])
    parser.add_argument("--batch", type=int, default=32, help="candidates that LAVIS reads at once")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)

    import lavis_albef  # noqa: F401  imports LAVIS without its other models
    import torch
    from lavis.models.med import XBertEncoder
    from transformers.models.bert.configuration_bert import BertConfig

    torch.set_num_threads(options.threads)
    config = BertConfig(
        vocab_size=30522, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
        intermediate_size=3072)
    config.add_type_embeddings, config.add_cross_attention = False, True
    config.encoder_width, config.fusion_layer = 768, 6
    bert = XBertEncoder(config, add_pooling_layer=False).eval()
    head = torch.nn.Linear(768, 2)
    ours = subprocess.Popen(
        [options.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def theirs(length, images, text_too):
        start = time.perf_counter()
        with torch.no_grad():
            for batch in images.split(options.batch):
                count = len(batch)
                mask = torch.ones(count, length, dtype=torch.long)
                ids = torch.full((count, length), 2000)
                source = (
                    {"input_ids": ids} if text_too
                    else {"encoder_embeds": states[:count], "mode": "fusion"})
                fused = bert(
                    attention_mask=mask, encoder_hidden_states=batch, return_dict=True,
                    encoder_attention_mask=torch.ones(batch.shape[:2], dtype=torch.long), **source)
                head(fused.last_hidden_state[:, 0])
        return time.perf_counter() - start

    measured = {}
    print("tokens patches candidates | LAVIS s  fusion alone s | ours s  plain s | LAVIS / ours")
    for length in options.tokens:
        states = torch.randn(options.batch, length, 768)
        for patches in options.patches:
            for count in options.candidates:
                images = torch.randn(count, patches, 768)
                rows = []
                for _ in range(options.rounds + 1):
                    ours.stdin.write(f"{length} {patches} {count}\n")
                    ours.stdin.flush()
                    rows.append(
                        [theirs(length, images, True), theirs(length, images, False)]
                        + [float(word) for word in ours.stdout.readline().split()])
                rows = rows[1:]  # the first round warms up
                a, b, c, d = (statistics.median(column) for column in zip(*rows))
                ratio = statistics.median(row[0] / row[2] for row in rows)
                print(f"{length:6} {patches:7} {count:10} | {a:7.3f}  {b:14.3f} | "
                      f"{c:6.3f}  {d:7.3f} | {ratio:12.2f}", flush=True)
                if (length, count) == (25, 128) and options.threads == 1:
                    measured[f"reranking_{patches}_patches"] = ratio
    for name, ratio in measured.items():
        thresholds.check(name, ratio)


if __name__ == "__main__":
    main()
