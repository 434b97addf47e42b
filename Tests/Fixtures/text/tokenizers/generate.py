"""Writes small tokenizers in the forms of the public models, and rows.json: what the libraries that
they come from make of captions, odd texts and random ones.

    pip install tokenizers sentencepiece ftfy regex
    pip download --no-deps open_clip_torch && unzip open_clip_torch*.whl -d open_clip
    python generate.py open_clip CAPTIONS.json...

The captions, from which the vocabularies are learned too, are the first of each file. The forms are
those of Benchmarks/tokenizers_forms.py, where Benchmarks/tokenizer_kinds_parity.py compares large
vocabularies on 10,000 captions.
"""

import gzip
import json
import pathlib
import random
import shutil
import sys
import tempfile

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parents[3] / "Benchmarks"))
import tokenizer_kinds_parity as parity  # noqa: E402
import tokenizers_forms as forms  # noqa: E402

# A few of the rules of nmt_nfkc, whose compiled form has 240 KB: tabs, full width, ligatures, a
# combining accent, a character that vanishes.
RULES = ["9\t20", "A\t20", "3000\t20", "FF21\t41", "FF22\t42", "FB01\t66 69", "65 301\tE9", "200B\t",
         "2460\t31", "33A1\t6D 32", "FF76 FF9E\t30AC", "BD\t31 2044 32"]


def captions(paths, count):
    return [text for path in paths for text in parity.captions_of(path)[:count]]


def clip(folder, texts, options):
    module, _ = parity.simple_tokenizer(options)
    module.ftfy.fix_text = forms.without_mojibake(module.ftfy.fix_text)
    merges = forms.trained_clip(texts, 800)
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
    (folder / "clip").mkdir()
    (folder / "clip/merges.txt").write_text("\n".join(lines), encoding="utf-8")
    packed = folder / "packed.gz"
    packed.write_bytes(gzip.compress((folder / "clip/merges.txt").read_bytes()))
    simple = module.SimpleTokenizer(bpe_path=str(packed))
    packed.unlink()
    vocabulary, _ = forms.clip_vocabulary(simple)
    (folder / "clip/vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    library = forms.clip_json(folder, (vocabulary, merges))
    return module, simple.encode, lambda text: library.encode(text, add_special_tokens=False).ids


def main():
    open_clip, *paths = sys.argv[1:]
    random.seed(12)
    texts = captions(paths, 1500)
    folder = pathlib.Path(tempfile.mkdtemp())
    module, simple, clip_json = clip(folder, texts, open_clip)
    rules = folder / "rules.tsv"
    rules.write_text("\n".join(RULES) + "\n", encoding="utf-8")
    options = {"normalization_rule_tsv": str(rules), "hard_vocab_limit": False}
    references = {"clip-merges": simple, "clip": clip_json}
    references["gemma"] = forms.gemma(folder, texts, size=900)[1]
    references["spiece"] = forms.native(
        name="spiece.model", size=600, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **options)(
            folder, texts)[1]
    references["symbols"] = forms.native(
        name="symbols.model", size=700, user_defined_symbols=["two dogs", "狗在", "<x>"],
        byte_fallback=True, treat_whitespace_as_suffix=True, remove_extra_whitespaces=False,
        **options)(folder, texts)[1]
    references["unigram"] = forms.unigram_json(folder, texts, size=600, **options)[1]
    references["stages"] = forms.stages(folder, texts, size=600)[1]
    references["gpt2"] = forms.gpt2(folder, texts, size=600)[1]
    references["bert"] = forms.word_piece(folder, texts, size=600)[1]

    odd = [text for text in forms.odd_texts() if len(text) < 250]
    chosen = texts[:12] + texts[-12:] + odd + forms.random_texts(24)
    rows = []
    for text in chosen:
        cleaned = {
            "openclip": module.get_clean_fn("lower")(text),
            "openclip_whitespace": module.get_clean_fn("whitespace")(text),
            "openclip_canonical": module.get_clean_fn("canonicalize")(text),
            "siglip": forms.siglip(text)}
        # Without the spaces of a list, and without surrogates that need escapes: smaller.
        rows.append(json.dumps({
            "text": text, "cleaned": cleaned,
            "ids": {name: reference(text) for name, reference in references.items()}},
            ensure_ascii=False, separators=(",", ":")))
    (here / "rows.json").write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    for name in ["clip.json", "gemma.json", "spiece.model", "symbols.model", "unigram.json",
                 "stages.json", "gpt2.json", "bert.json"]:
        if name.endswith(".json"):
            state = json.loads((folder / name).read_text(encoding="utf-8"))
            (here / name).write_text(
                json.dumps(state, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        else:
            shutil.copy(folder / name, here / name)
    for name in ["merges.txt", "vocab.json"]:
        (here / "clip").mkdir(exist_ok=True)
        shutil.copy(folder / "clip" / name, here / "clip" / name)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
