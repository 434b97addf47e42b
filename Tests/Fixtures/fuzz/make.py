#!/usr/bin/env python3
"""Makes the inputs from which Scripts/fuzz starts: the smallest valid file of every format.

    Tests/Fixtures/fuzz/make.py

Scripts/fuzz adds fixtures of other folders to them, and fails if a parser refuses one. The files of
an index come from the program itself: `.build/sanitized/debug/Fuzz --samples Tests/Fixtures/fuzz`.
"""

import io
import json
import pathlib
import pickle
import struct
import sys
import tarfile
import types

HERE = pathlib.Path(__file__).resolve().parent
DIGEST = "ab" * 32


def write(parser, name, content):
    folder = HERE / parser
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def pickled():
    """Descriptions of tensors as torch.save writes them, without torch."""
    def rebuild(*arguments):
        raise NotImplementedError

    for module, names in (("torch._utils", ["_rebuild_tensor_v2", "_rebuild_parameter"]),
                          ("torch", ["FloatStorage", "HalfStorage"]),
                          ("collections", [])):
        made = sys.modules.setdefault(module, types.ModuleType(module))
        for name in names:
            value = type(name, (), {}) if name.endswith("Storage") else types.FunctionType(
                rebuild.__code__, {}, name)
            value.__module__, value.__qualname__ = module, name
            setattr(made, name, value)
    torch, utils = sys.modules["torch"], sys.modules["torch._utils"]

    class Storage:
        def __init__(self, kind, key, count):
            self.kind, self.key, self.count = kind, key, count

    class Tensor:
        def __init__(self, storage, shape, strides, offset=0):
            self.arguments = (storage, offset, shape, strides, False, {})

        def __reduce__(self):
            return utils._rebuild_tensor_v2, self.arguments

    class Parameter:
        def __init__(self, tensor):
            self.tensor = tensor

        def __reduce__(self):
            return utils._rebuild_parameter, (self.tensor, True, {})

    class Pickler(pickle._Pickler):
        def persistent_id(self, value):
            if isinstance(value, Storage):
                return ("storage", value.kind, value.key, "cpu", value.count)
            return None

    floats = Storage(torch.FloatStorage, "0", 64)
    halves = Storage(torch.HalfStorage, "1", 8)
    state = {"a": Tensor(floats, (4, 8), (8, 1)), "b": Parameter(Tensor(floats, (8,), (2,), 16)),
             "c": Tensor(halves, (), (), 7)}
    values = {"model": state, "epoch": 29, "rate": 1e-4, "names": ["x", (1, 2), None, True],
              3: b"\x00\x01", "large": 1 << 70, "state": {0: {"step": 5}}}
    for protocol, name in ((2, "state.pkl"), (4, "newer.pkl")):
        out = io.BytesIO()
        Pickler(out, protocol).dump(values if protocol == 2 else state)
        write("pickle", name, out.getvalue())


def texts():
    write("safetensors", "index.json", json.dumps({"metadata": {"total_size": 0}, "weight_map": {}}))
    write("json", "values.json", json.dumps(
        {"a": [1, -2.5e3, True, False, None, "x\n\u00e9\u2028\ud83d\ude42"], "b": {"c": {}, "d": []}}))
    write("json", "nan.json", '[0, 1E+2, "\\ud83d\\ude42\\/", {"": ""}]')
    write("yaml", "settings.yaml",
          "model: photos  # a name\nhosts: [a, 'b', \"c\\n\"]\ncount: 12\nrate: 1.5e-3\n"
          "part:\n  count: 0x10\n")
    write("yaml", "block.yaml", "hosts:\n- &a one\n- *a\nmodel: |\n  two\n  lines\ncount: ~\n")
    write("query", "words.txt", 'a "black top"^1.5 dog^2, -helmet -"red car"')
    write("query", "filter.txt", "year>=2020")
    write("query", "shard.txt", "2/8")
    write("query", "milvus.txt", "milvus://user:key@localhost:19530/db/images?index=flat&timeout=5")
    write("lists", "metadata.jsonl",
          '{"image": "a.jpg", "text": "a dog", "year": 2021, "tags": ["sea", "snow"], "seen": true}\n'
          '{"image": "b.jpg", "text": "b", "place": "Kamakura"}\n')
    write("glosses", "glosses.txt", "\u72d7\tdog\n\u732b\tcat\n")
    write("request", "search.json", json.dumps(
        {"text": "a dog", "count": 20, "offset": 0, "filters": ["year>=2020"], "fold": False,
         "emphasis": {"dog": 1.5}, "metadata": {"tags": ["a", "b"], "place": None}}))
    write("multipart", "form.txt",
          'multipart/form-data; boundary="----b1"\0------b1\r\n'
          'Content-Disposition: form-data; name="image"; filename="a \\"b\\".jpg"\r\n'
          "Content-Type: image/jpeg\r\n\r\n\u00ff\u00d8\r\n------b1\r\n"
          "content-disposition: form-data; name=json\r\n\r\n{}\r\n------b1--\r\n")


def tokenizers():
    special = [{"id": i, "content": text, "special": True, "normalized": False}
               for i, text in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "##s", "'", "2", "photo"]
    bert = {
        "truncation": {"max_length": 8, "direction": "Right"},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_id": 0},
        "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {w: i for i, w in enumerate(words)}},
    }
    config = {"model_max_length": 16, "pad_token": {"content": "[PAD]"}, "do_lower_case": True}
    write("tokenizer", "wordpiece.json", json.dumps(bert) + "\0" + json.dumps(config))
    letters = ["\u0120", "a", "d", "o", "g", "s", "'", "2"]
    merges = [["d", "o"], ["do", "g"], ["\u0120", "dog"]]
    pieces = letters + ["".join(pair) for pair in merges] + ["<|endoftext|>"]
    bpe = {
        "added_tokens": [{"id": len(pieces) - 1, "content": "<|endoftext|>", "special": True}],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
            {"type": "Lowercase"}, {"type": "Strip", "strip_left": True, "strip_right": False}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "Split", "pattern": {"String": "-"}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}]},
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"Sequence": {"id": "A", "type_id": 0}},
                                      {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}],
                           "special_tokens": {"<|endoftext|>": {
                               "id": "<|endoftext|>", "ids": [len(pieces) - 1],
                               "tokens": ["<|endoftext|>"]}}},
        "model": {"type": "BPE", "vocab": {p: i for i, p in enumerate(pieces)}, "merges": merges},
    }
    write("tokenizer", "bytepairs.json", json.dumps(bpe))
    unigram = {
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Prepend", "prepend": "\u2581"},
            {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAABhAA=="}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
                  "vocab": [["<unk>", 0.0], ["\u2581a", -1.5], ["\u2581", -2.0], ["dog", -3.25],
                            ["s", -4.0]]},
    }
    write("tokenizer", "unigram.json", json.dumps(unigram))
    clip = ["a", "d", "o", "g", "a</w>", "g</w>", "do", "dog</w>", "<|startoftext|>",
            "<|endoftext|>"]
    write("clip", "clip.txt", json.dumps({p: i for i, p in enumerate(clip)})
          + "\0#version: 0.2\nd o\ndo g</w>\n")
    write("merges", "merges.txt", "#version: 0.2\nd o\ndo g</w>\n")
    write("wordpiece", "vocab.txt", "\n".join(words) + "\n")

    def number(value):
        out = b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    def field(tag, content):
        return number(tag << 3 | 2) + number(len(content)) + content

    def piece(text, score, kind=1):
        return field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score)
                     + b"\x18" + number(kind))

    # A trie that replaces A by a, in the layout of darts-clone: a root, the node of A and its value.
    units = [0] * 512
    units[0] = 1 << 10
    units[1 ^ 0x41] = 0x41 | 0x100 | 256 << 10
    units[1 ^ 0x41 ^ 256] = 0x80000000
    charsmap = struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + b"a\0"
    model = (piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3)
             + piece("\u2581a", -1.5) + piece("\u2581", -2) + piece("dog", -3) + piece("s", -4)
             + piece("<x>", 0, 4) + piece("<0x41>", -5, 6))
    trainer = field(2, b"\x18\x01" + number(24 << 3) + b"\x00" + number(35 << 3) + b"\x01")
    write("sentencepiece", "plain.model", model + trainer + field(3, b"\x18\x01\x20\x01\x28\x01"))
    write("sentencepiece", "charsmap.model", model + trainer + field(3, field(2, charsmap)))


def annotations():
    captions = [{"image": "a.jpg", "caption": "a dog", "image_id": 1},
                {"image": "b.jpg", "caption": ["two", "cats"], "image_id": "b"}]
    write("captions", "list.json", json.dumps(captions))
    write("captions", "lines.jsonl", "\n".join(json.dumps(entry) for entry in captions))
    write("captions", "coco.json", json.dumps({
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "id": 7, "caption": "a dog"}]}))
    write("captions", "karpathy.json", json.dumps({"images": [
        {"filepath": "val", "filename": "a.jpg", "split": "train", "cocoid": 3, "imgid": 0,
         "sentences": [{"raw": "a dog", "sentid": 1}]}]}))
    write("captions", "table.csv", 'image,caption,image_id\na.jpg,"a ""black"" dog, two",1\n')
    write("captions", "table.tsv", "filepath\ttitle\tsplit\na.jpg\ta dog\ttrain\n")
    write("benchmarks", "pairs.csv",
          "id,image_0,image_1,caption_0,caption_1,tag\n0,a.jpg,b.jpg,\"a, b\",b a,Object\n")
    write("benchmarks", "pairs.jsonl", json.dumps({
        "id": 0, "image_0": "a", "image_1": "b", "caption_0": "x y", "caption_1": "y x",
        "tag": "Relation", "collapsed_tag": "Object", "secondary_tag": ""}))
    write("benchmarks", "sugar.json", json.dumps(
        {"0": {"filename": "a.jpg", "caption": "a dog", "negative_caption": "a cat"}}))
    write("benchmarks", "aro.json", json.dumps([
        {"image_path": "a.jpg", "bbox_x": 1, "bbox_y": 2, "bbox_w": 3, "bbox_h": 4,
         "true_caption": "a on b", "false_caption": "b on a", "relation_name": "on"}]))
    write("benchmarks", "checklist.json", json.dumps([["a.jpg", {"POS": ["a"], "NEG": ["b"]}]]))
    write("benchmarks", "options.json",
          json.dumps([{"image": "a.jpg", "caption_options": ["a", "b", "c"]}]))
    write("tasks", "questions.json", json.dumps([
        {"image": "a.jpg", "question": "what?", "answer": ["a", "a", "b"], "question_id": 1,
         "dataset": "vqa"},
        {"image": "b.jpg", "question": "who?", "answer": "x", "question_id": "q", "dataset": "vg"}]))
    write("tasks", "nlvr.json", json.dumps(
        [{"images": ["a.jpg", "b.jpg"], "sentence": "two dogs", "label": "True"}]))
    write("tasks", "entailment.jsonl", json.dumps(
        {"image": "1234", "sentence": "a dog", "label": "entailment"}))
    write("tasks", "grounding.json", json.dumps(
        [{"image": "a.jpg", "text": ["a dog"], "ref_id": 3, "image_id": 4, "bbox": [1, 2, 3, 4.5],
          "split": "testA"}]))
    write("tasks", "labels.csv", "image,label\na.jpg,dog\n")
    write("tasks", "answers.json", json.dumps(["yes", "no", "2"]))
    write("tasks", "boxes.json", json.dumps({"a.jpg": [[1, 2, 3, 4], [0, 0, 0.5, 9]]}))
    write("shards", "index.json", json.dumps({
        "__kind__": "albef-shards-1", "shardlist": [
            {"url": "a-{0}.tar", "nsamples": 5, "filesize": 10240, "sha256": DIGEST},
            {"url": "https://example.org/b.tar", "nsamples": 0}]})
        + "\0train-{000..011}.tar::s3-{a,b{1,2}}.tar")


def archives():
    def add(tar, name, content):
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))

    for kind, name in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "gnu"),
                       (tarfile.PAX_FORMAT, "pax")):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=kind) as tar:
            add(tar, "folder/0001.txt", b"a dog\n")
            add(tar, "folder/0001.jpg", b"\xff\xd8\xff")
            long = "x" * 60 if kind == tarfile.USTAR_FORMAT else "\u72d7" * 40
            add(tar, f"{long}/0002.json", json.dumps({"caption": ["a", "b"]}).encode())
        # Without what fills the last record.
        end = len(out.getvalue().rstrip(b"\0"))
        write("tar", f"{name}.tar", out.getvalue()[:(end + 511) // 512 * 512 + 1024])


def index():
    """Earlier formats and further settings of the index that the program made."""
    manifest = json.loads((HERE / "manifest/manifest.json").read_text())
    graph = manifest.pop("recall_graph")
    write("manifest", "first-graph.json", json.dumps(
        {**manifest, "format": 1, "graph": {
            "name": graph["name"], "byte_count": graph["byte_count"], "sha256": graph["sha256"],
            "segments": ["00000001"]}}))
    recall = {"name": "photos", "fingerprint": DIGEST, "image_size": 16}
    manifest["segments"][0]["removed"] = [1, 3]
    graph["parts"][0].update(dropped=[2], count=4)
    write("manifest", "two-models.json", json.dumps(
        {**manifest, "format": 3, "model": {**manifest["model"], "recall": recall},
         "shard": {"number": 1, "count": 4, "finished": True}, "recall_graph": graph}))
    segment = (HERE / "segment/segment").read_bytes()
    size = struct.unpack_from("<Q", segment)[0]
    header = json.loads(segment[8:8 + size])

    def content(name):
        start, end = header[name]["data_offsets"]
        return segment[8 + size + start:8 + size + end]

    ends = struct.unpack("<5q", content("entry_ends"))
    entries = content("entries")
    array = b"[" + b",".join(entries[a:b] for a, b in zip((0, *ends), ends)) + b"]"
    parts = {"features": content("features"), "tokens": content("tokens"), "entries": array}
    new, data = {}, b""
    for name, part in parts.items():
        shape = [len(array)] if name == "entries" else header[name]["shape"]
        new[name] = {"dtype": header[name]["dtype"], "shape": shape,
                     "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(new).encode()
    text += b" " * (-len(text) % 8)
    write("segment", "format-1", struct.pack("<Q", len(text)) + text + data)


pickled()
texts()
tokenizers()
annotations()
archives()
index()
