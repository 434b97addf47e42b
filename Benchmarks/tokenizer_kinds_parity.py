"""Compares every kind of tokenizer with the library it comes from, token by token, and times both.

    pip install tokenizers sentencepiece ftfy regex
    pip download --no-deps open_clip_torch && unzip open_clip_torch*.whl -d open_clip
    swift build -c release --package-path Benchmarks --product tokenize-lines
    python Benchmarks/tokenizer_kinds_parity.py --open-clip open_clip --captions TEXTS...

TEXTS are .json lists of {"caption": text or [texts]}. The script learns vocabularies from the
captions, in the formats of the public models: CLIP's byte pairs as `tokenizer.json` and as
`vocab.json` with `merges.txt`, Gemma's byte pairs with byte fallback, SentencePiece's unigrams as a
model file and as `tokenizer.json`, BERT's word pieces. CLIP's real vocabulary comes from the wheel
of `open_clip_torch`, whose `SimpleTokenizer` is the reference. The texts are the captions, odd
texts and random ones. Exits with 1 if any text differs.
"""

import argparse
import gzip
import importlib.util
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import types

import tokenizers_forms as forms

here = pathlib.Path(__file__).parent


def captions_of(path):
    rows = [row["caption"] for row in json.loads(pathlib.Path(path).read_text(encoding="utf-8"))]
    return [text for row in rows for text in ([row] if isinstance(row, str) else row)]


def simple_tokenizer(folder):
    """OpenCLIP's SimpleTokenizer, whose module imports torch for parts that are not used here."""
    sys.modules.setdefault("torch", types.SimpleNamespace(LongTensor=None, Tensor=None))
    path = pathlib.Path(folder) / "open_clip/tokenizer.py"
    spec = importlib.util.spec_from_file_location("open_clip_tokenizer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.SimpleTokenizer()


def ours(executable, path, texts, *options):
    run = subprocess.run(
        [str(executable), str(path), "--tokenizer", "--escaped", *options],
        input="".join(json.dumps(text) + "\n" for text in texts).encode(),
        capture_output=True)
    if run.returncode:
        sys.exit(f"{path}: {run.stderr.decode()}")
    rows = [[int(i) for i in row.split()] for row in run.stdout.decode().split("\n")[:-1]]
    figures = re.search(r"in (\S+) s, read in (\S+) s", run.stderr.decode())
    return rows, float(figures.group(1)), float(figures.group(2))


class Comparison:
    def __init__(self, executable):
        self.executable = executable
        self.different = 0

    def run(self, name, path, texts, reference, *options):
        start = time.perf_counter()
        expected = [reference(text) for text in texts]
        theirs = time.perf_counter() - start
        rows, seconds, reading = ours(self.executable, path, texts, *options)
        wrong = [row for row in zip(texts, expected, rows) if row[1] != row[2]]
        self.different += len(wrong) + abs(len(rows) - len(expected))
        megabytes = sum(len(text.encode()) for text in texts) / 1e6
        print(f"{name}: {len(texts)} texts, {sum(map(len, expected))} tokens, {len(wrong)} differ; "
              f"MB/s: {megabytes / seconds:.1f}, reference {megabytes / theirs:.1f}; "
              f"read in {reading:.3f} s", flush=True)
        for text, theirs, here in wrong[:6]:
            print(f"  {text[:200]!r}\n    reference {theirs[:40]}\n    here      {here[:40]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--captions", nargs="+", required=True)
    parser.add_argument("--open-clip", help="the folder of the unpacked wheel")
    parser.add_argument("--executable", default=here / ".build/release/tokenize-lines")
    parser.add_argument("--limit", type=int, default=2500, help="captions to read per file")
    parser.add_argument("--only", default="", help="only run comparisons whose names contain this")
    options = parser.parse_args()

    random.seed(7)
    captions = [text for path in options.captions for text in captions_of(path)[:options.limit]]
    odd = forms.odd_texts() + forms.random_texts(3000)
    sets = [("captions", captions), ("odd", odd)]
    compare = Comparison(options.executable)

    def each(name, path, reference, *arguments):
        if options.only in name:
            for kind, texts in sets:
                compare.run(f"{name}, {kind}", path, texts, reference, *arguments)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if options.open_clip:
            module, simple = simple_tokenizer(options.open_clip)
            # swift-albef does not repair mojibake; see OpenCLIPCleaning.
            module.ftfy.fix_text = forms.without_mojibake(module.ftfy.fix_text)
            wheel = pathlib.Path(options.open_clip) / "open_clip/bpe_simple_vocab_16e6.txt.gz"
            merges = folder / "bpe_simple_vocab_16e6.txt"
            merges.write_bytes(gzip.decompress(wheel.read_bytes()))
            each("CLIP, merges", merges, simple.encode, "--special")
            clip = forms.clip_json(folder, forms.clip_vocabulary(simple))
            for special in [True, False]:
                clip.encode_special_tokens = not special
                flag = ["--special"] if special else []
                each(f"CLIP, tokenizer.json{' special' * special}", folder / "clip.json",
                     lambda text: clip.encode(text, add_special_tokens=False).ids, *flag)
            clip.encode_special_tokens = False
            parts = folder / "clip"
            parts.mkdir()
            clip.model.save(str(parts))
            each("CLIP, vocab.json and merges.txt", parts,
                 lambda text: clip.encode(text, add_special_tokens=False).ids, "--special")
            canonical = module.get_clean_fn("canonicalize")
        for name, form in forms.FORMS.items():
            if options.only not in name:
                continue
            path, reference = form(folder, captions)
            each(name, path, reference, "--special")
            if "SentencePiece" in name and options.open_clip:
                each(f"{name}, canonicalize", path, lambda text: reference(canonical(text)),
                     "--special", "--cleaning", "openclip_canonical")
                each(f"{name}, siglip", path, lambda text: reference(forms.siglip(text)),
                     "--special", "--cleaning", "siglip")
    sys.exit(1 if compare.different else 0)


if __name__ == "__main__":
    main()
