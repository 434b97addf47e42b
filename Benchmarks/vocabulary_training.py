"""Checks and compares vocabularies that `albef vocabulary train` learns.

    pip install tokenizers
    swift build -c release --product albef
    python Benchmarks/vocabulary_training.py --train CAPTIONS... --held-out CAPTIONS... [--size N]...

CAPTIONS are .json lists of {"caption": text or [texts]}, or text files with one caption per line.
For each size, the script learns four vocabularies from the training captions:

    albef         that of the program
    by frequency  the same rules in plain Python below; must equal the program's, line by line
    by ratio      the same, but merging the pair with the greatest count(ab) / (count(a) count(b))
    tokenizers    that library's WordPieceTrainer, which also merges by frequency

The table shows how they spell the held-out captions. Exits with 1 if the first two differ.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unicodedata

from tokenizers import BertWordPieceTokenizer, normalizers, pre_tokenizers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NORMALIZER = normalizers.BertNormalizer(lowercase=True)
SPLITTER = pre_tokenizers.BertPreTokenizer()


def captions_of(paths):
    for path in paths:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        if path.endswith(".json"):
            for entry in json.loads(text):
                caption = entry["caption"]
                yield from [caption] if isinstance(caption, str) else caption
        else:
            yield from (line for line in text.split("\n") if line.strip())


def cleaned(caption):
    """A caption, cleaned as in the original."""
    text = re.sub("[-/]", " ", re.sub("[,.'!?\"()*#:;~]", "", caption.lower()))
    text = re.sub(r"\s{2,}", " ", text.replace("<person>", "person"))
    return " ".join(text.rstrip("\n").strip(" ").split(" ")[:30])


def words_of(caption):
    return [w for w, _ in SPLITTER.pre_tokenize_str(NORMALIZER.normalize_str(cleaned(caption)))]


def is_ideograph(character):
    return bool(re.match("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ceaf]", character))


def alphabet_of(words, minimum, limit=1000):
    starts, inner = collections.Counter(), collections.Counter()
    for word, count in words.items():
        starts[word[0]] += count
        for character in word[1:]:
            inner[character] += count
    total = starts + inner
    characters = sorted((c for c in total if total[c] >= minimum), key=lambda c: (-total[c], c))
    letters = [c for c in characters if not is_ideograph(c)][:limit]
    pieces = [(-starts[c], c) for c in characters if is_ideograph(c) or c in letters]
    pieces += [(-inner[c], "##" + c) for c in letters
               if not (c.isascii() and not c.isalnum() or unicodedata.category(c)[0] == "P")]
    return [piece for _, piece in sorted(pieces)]


def learned(words, size, minimum, by_ratio=False):
    """Merges the best of all pairs, which it finds by looking at every pair each time."""
    tokens = alphabet_of(words, minimum)[: size - len(SPECIAL)]
    known = set(tokens)
    spelled = []
    for word, count in words.items():
        pieces = [c if i == 0 else "##" + c for i, c in enumerate(word)]
        if len(word) <= 100 and known.issuperset(pieces):
            spelled.append((pieces, count))
    pairs, single = collections.Counter(), collections.Counter()
    places = collections.defaultdict(set)

    def count_in(index, sign):
        pieces, count = spelled[index]
        for piece in pieces:
            single[piece] += sign * count
        for pair in zip(pieces, pieces[1:]):
            pairs[pair] += sign * count
            places[pair].add(index)

    for index in range(len(spelled)):
        count_in(index, 1)
    while len(tokens) < size - len(SPECIAL) and pairs:
        if by_ratio:
            able = [(-n / (single[p[0]] * single[p[1]]), p) for p, n in pairs.items() if n >= minimum]
            if not able:
                break
            best = min(able)[1]
        else:
            most = max(pairs.values())
            if most < minimum:
                break
            best = min(pair for pair, n in pairs.items() if n == most)
        token = best[0] + best[1][2:]
        if token not in known:
            known.add(token)
            tokens.append(token)
        for index in list(places[best]):
            pieces, count = spelled[index]
            count_in(index, -1)
            merged = []
            for piece in pieces:
                # Left to right; a piece that a merge just made is longer than both of its parts.
                if merged and (merged[-1], piece) == best:
                    merged[-1] = token
                else:
                    merged.append(piece)
            spelled[index] = (merged, count)
            count_in(index, 1)
        del pairs[best]
        for pair in [p for p, n in pairs.items() if n == 0]:
            del pairs[pair]
    return SPECIAL + tokens


def of_tokenizers(captions, size, minimum):
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train_from_iterator(
        captions, vocab_size=size, min_frequency=minimum, limit_alphabet=6000,
        special_tokens=SPECIAL, show_progress=False)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.get)


def spelling(tokens, captions):
    """The tokens per caption, the share of [UNK] among words, and of words that are one token."""
    tokenizer = BertWordPieceTokenizer({t: i for i, t in enumerate(tokens)}, lowercase=True)
    encodings = tokenizer.encode_batch(captions, add_special_tokens=False)
    counts = collections.Counter()
    for encoding in encodings:
        counts["tokens"] += len(encoding.ids)
        lengths = collections.Counter(encoding.word_ids)
        counts["words"] += len(lengths)
        counts["unknown"] += encoding.tokens.count("[UNK]")
        counts["single"] += sum(n == 1 for n in lengths.values())
    return (counts["tokens"] / len(captions), counts["unknown"] / counts["words"],
            (counts["single"] - counts["unknown"]) / counts["words"])


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--held-out", nargs="+", required=True)
    parser.add_argument("--size", type=int, action="append")
    parser.add_argument("--minimum-frequency", type=int, default=2)
    parser.add_argument("--program", default=here.parent / ".build/release/albef")
    options = parser.parse_args()

    training = [cleaned(caption) for caption in captions_of(options.train)]
    held_out = [cleaned(caption) for caption in captions_of(options.held_out)]
    words = collections.Counter(w for c in captions_of(options.train) for w in words_of(c))
    print(f"{len(training)} training captions, {len(words)} different words; "
          f"{len(held_out)} held out")
    print(
        "| size | vocabulary | tokens | tokens per caption | [UNK] % of words | one token % | s |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    same = True
    for size in options.size or [1000, 2000, 4000, 8000]:
        minimum = options.minimum_frequency
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "vocab.txt")
            start = time.perf_counter()
            subprocess.run(
                [options.program, "vocabulary", "train", *options.train, "--size", str(size),
                 "--minimum-frequency", str(minimum), "--output", file],
                check=True, capture_output=True)
            rows = [("albef", file.read_bytes().decode().split("\n")[:-1],
                     time.perf_counter() - start)]
        for name, learn in (
                ("by frequency", lambda: learned(words, size, minimum)),
                ("by ratio", lambda: learned(words, size, minimum, by_ratio=True)),
                ("tokenizers", lambda: of_tokenizers(training, size, minimum))):
            start = time.perf_counter()
            rows.append((name, learn(), time.perf_counter() - start))
        for name, tokens, seconds in rows:
            mean, unknown, single = spelling(tokens, held_out)
            print(f"| {size} | {name} | {len(tokens)} | {mean:.3f} | {100 * unknown:.3f} "
                  f"| {100 * single:.2f} | {seconds:.2f} |", flush=True)
        if rows[0][1] != rows[1][1]:
            same = False
            line = next(i for i, (a, b) in enumerate(zip(rows[0][1], rows[1][1])) if a != b) \
                if rows[0][1][: len(rows[1][1])] != rows[1][1] else len(rows[1][1])
            print(f"  differ from line {line + 1}: {rows[0][1][line:line + 3]} "
                  f"and {rows[1][1][line:line + 3]}")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
