"""Compares the WordPiece tokenizer with the `tokenizers` library, token by token, and times both.

    pip install tokenizers
    swift build -c release --package-path Benchmarks --product tokenize-lines
    python Benchmarks/tokenizer_parity.py --vocabulary VOCAB.txt TEXTS... [--executable PATH]

TEXTS are .txt files with one text per line, or .json lists of {"caption": text or [texts]}. A line
feed inside a text becomes a space. Exits with 1 if any text differs.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

from tokenizers import BertWordPieceTokenizer


def texts_of(path, limit):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if path.endswith(".json"):
        rows = [row["caption"] for row in json.loads(text)]
        lines = [line for row in rows for line in ([row] if isinstance(row, str) else row)]
    else:
        lines = text.split("\n")
    return [line.replace("\n", " ") for line in lines][:limit]


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--executable", default=here / ".build/release/tokenize-lines")
    parser.add_argument("--limit", type=int, default=5000, help="texts to read per file")
    parser.add_argument("--cased", action="store_true")
    options = parser.parse_args()

    # From a dictionary, because the library's file reader also splits at other line separators.
    tokens = pathlib.Path(options.vocabulary).read_bytes().decode("utf-8").split("\n")
    vocabulary = {token: index for index, token in enumerate(tokens) if token}
    reference = BertWordPieceTokenizer(vocabulary, lowercase=not options.cased)
    different = 0
    for path in options.texts:
        texts = texts_of(path, options.limit)
        megabytes = sum(len(text.encode()) for text in texts) / 1e6
        command = [str(options.executable), options.vocabulary]
        run = subprocess.run(
            command + (["--cased"] if options.cased else []),
            input="".join(text + "\n" for text in texts).encode(),
            capture_output=True, check=True)
        ours = [[int(i) for i in row.split()] for row in run.stdout.decode().split("\n")[:-1]]
        seconds = float(re.search(r"in (\S+) s", run.stderr.decode()).group(1))
        # One text at a time, then the batch call, which uses all cores.
        start = time.perf_counter()
        theirs = [reference.encode(text, add_special_tokens=False).ids for text in texts]
        single = time.perf_counter() - start
        start = time.perf_counter()
        reference.encode_batch(texts, add_special_tokens=False)
        batch = time.perf_counter() - start
        wrong = [row for row in zip(texts, theirs, ours) if row[1] != row[2]]
        different += len(wrong) + abs(len(theirs) - len(ours))
        print(f"{path}: {len(texts)} texts, {sum(map(len, theirs))} tokens, {len(wrong)} differ; "
              f"MB/s: {megabytes / seconds:.1f}, tokenizers {megabytes / single:.1f} singly, "
              f"{megabytes / batch:.1f} in a batch")
        for text, expected, actual in wrong[:5]:
            print(f"  {text!r}\n    tokenizers {expected}\n    here       {actual}")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
