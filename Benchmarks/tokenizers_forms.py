"""Small vocabularies in the formats of the public models, and odd texts to try them on."""

import json
import random
import re
import string
import unicodedata

import sentencepiece
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                        pre_tokenizers, processors, trainers)

CLIP_SPLIT = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def clip_pipeline(tokenizer, start, end):
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(CLIP_SPLIT), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", end), ("<|startoftext|>", start), False, False)
    tokenizer.decoder = decoders.ByteLevel()


def clip_vocabulary(simple):
    """The vocabulary and merges of OpenCLIP's tokenizer, with Hugging Face's special tokens."""
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {names.get(token, token): index for token, index in simple.encoder.items()}
    merges = [pair for pair, _ in sorted(simple.bpe_ranks.items(), key=lambda item: item[1])]
    return vocabulary, merges


def clip_json(folder, parts):
    vocabulary, merges = parts
    tokenizer = Tokenizer(models.BPE(
        vocab=vocabulary, merges=merges, unk_token="<|endoftext|>",
        continuing_subword_prefix="", end_of_word_suffix="</w>"))
    clip_pipeline(tokenizer, vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"])
    tokenizer.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    tokenizer.save(str(folder / "clip.json"))
    return tokenizer


def trained_clip(texts, size):
    """A learned vocabulary and merges in CLIP's format."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(CLIP_SPLIT), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, show_progress=False, end_of_word_suffix="</w>",
        initial_alphabet=alphabet))
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(pair if isinstance(pair, list) else pair.split(" ")) for pair in learned]


def byte_characters():
    """CLIP's characters for bytes, in CLIP's order."""
    known = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in known]
    return [chr(byte) for byte in known] + [chr(256 + n) for n in range(len(others))]


def gemma(folder, texts, size=3000, merges_as_pairs=True, name="gemma.json"):
    """Gemma's format: byte pairs over a text whose spaces are marks, with byte fallback."""
    texts = [text.lower() for text in texts]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    # Learn words, not whole captions; Gemma's own vocabulary was learned elsewhere.
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
        show_progress=False, limit_alphabet=size // 3))
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "},
                              "behavior": "MergedWithPrevious", "invert": False}
    vocabulary = state["model"]["vocab"]
    runs = []
    for count in range(2, 8):
        content = "▁" * count
        if content not in vocabulary:
            vocabulary[content] = len(vocabulary)
        runs.append({"id": vocabulary[content], "content": content, "single_word": False,
                     "lstrip": False, "rstrip": False, "normalized": False, "special": False})
    state["added_tokens"] = [token for token in state["added_tokens"]
                             if token["content"] in special] + runs
    state["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "<eos>", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<eos>": {"id": "<eos>", "ids": [1], "tokens": ["<eos>"]}}}
    state["padding"] = {"strategy": {"Fixed": 64}, "direction": "Right",
                        "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
                        "pad_token": "<pad>"}
    state["truncation"] = {"direction": "Right", "max_length": 64,
                           "strategy": "LongestFirst", "stride": 0}
    if not merges_as_pairs:
        merges = state["model"]["merges"]
        state["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in merges]
    path = folder / name
    path.write_text(json.dumps(state), encoding="utf-8")
    free = Tokenizer.from_file(str(path))
    free.no_truncation()
    free.no_padding()
    return path, lambda text: free.encode(text, add_special_tokens=False).ids


def sentence_piece(folder, texts, name="spiece.model", size=2000, **options):
    prefix = str(folder / name).removesuffix(".model")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_prefix=prefix, vocab_size=size,
        character_coverage=options.pop("character_coverage", 0.98), num_threads=1, minloglevel=2, **options)
    model = sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")
    return folder / name, model


def native(**options):
    def form(folder, texts):
        path, model = sentence_piece(folder, texts, **options)
        control = {model.id_to_piece(i): i for i in range(model.get_piece_size())
                   if model.is_control(i)}
        pattern = re.compile("(" + "|".join(map(re.escape, sorted(control))) + ")")

        def encode(text):
            # The library itself reads no control tokens; this wrapper reads them as the others do.
            ids = []
            for part in pattern.split(text):
                ids += [control[part]] if part in control else model.encode(part)
            return ids
        return path, encode
    return form


def unigram_json(folder, texts, name="unigram.json", size=2000, **options):
    """XLM-R's format: the vocabulary of SentencePiece and its rules in a tokenizer.json."""
    path, model = sentence_piece(folder, texts, name="xlmr.model", size=size, pad_id=3, **options)
    rules = charsmap(path.read_bytes())
    vocabulary = [(model.id_to_piece(i), model.get_score(i)) for i in range(model.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=model.unk_id(), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(rules), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.add_special_tokens(["<s>", "<unk>", "</s>", "<pad>",
                                  AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", model.bos_id()), ("</s>", model.eos_id())])
    tokenizer.save(str(folder / name))
    return folder / name, lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def charsmap(model):
    """Field 3, then field 2, of a ModelProto."""
    def fields(data):
        place = 0

        def number():
            nonlocal place
            value = shift = 0
            while True:
                byte = data[place]
                place += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value
        while place < len(data):
            key = number()
            if key & 7 == 2:
                count = number()
                yield key >> 3, data[place:place + count]
                place += count
            elif key & 7 == 5:
                place += 4
            else:
                number()
    spec = next(value for field, value in fields(model) if field == 3)
    return next(value for field, value in fields(spec) if field == 2)


def stages(folder, texts, size=1500):
    """The types that no format above has: the rest of the closed set."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.NFKC(), normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(),
        normalizers.Strip(), normalizers.Prepend("▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split("-", "merged_with_next")])
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<unk>", "<x>"], show_progress=False, limit_alphabet=size // 3))
    tokenizer.add_tokens([AddedToken("Two Dogs", normalized=True),
                          AddedToken("<y>", lstrip=True, rstrip=True, normalized=False)])
    tokenizer.save(str(folder / "stages.json"))
    return folder / "stages.json", lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def gpt2(folder, texts, size=1500):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFKD()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<s>", "</s>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.save(str(folder / "gpt2.json"))
    return folder / "gpt2.json", lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def word_piece(folder, texts, size=2000):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "bert.json"))
    return folder / "bert.json", lambda text: tokenizer.encode(text, add_special_tokens=False).ids


FORMS = {
    "Gemma": gemma,
    "Gemma, merges as texts": lambda folder, texts: gemma(folder, texts, merges_as_pairs=False),
    "SentencePiece": native(pad_id=0, eos_id=1, unk_id=2, bos_id=-1),
    "SentencePiece, bytes": native(byte_fallback=True, size=2300),
    "SentencePiece, identity": native(normalization_rule_name="identity",
                                      remove_extra_whitespaces=False, add_dummy_prefix=False),
    "SentencePiece, symbols": native(user_defined_symbols=["two dogs", "狗在", "<x>"],
                                     treat_whitespace_as_suffix=True,
                                     normalization_rule_name="nmt_nfkc_cf"),
    "Unigram": unigram_json,
    "Stages": stages,
    "GPT-2": gpt2,
    "WordPiece": word_piece,
}


def siglip(text):
    """`SiglipTokenizer` of transformers: lower case, punctuation, white space."""
    text = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\s+", " ", text).strip()


def without_mojibake(fix_text):
    return lambda text: fix_text(text, fix_encoding=False)


def odd_texts():
    return [
        "", " ", "\t\n\r ", "\0", "a\0b", "\0\0 \0", "\ufffd", "\u200b\u200d\ufeff", "\u0301\u0301",
        "👩‍👩‍👧‍👦 family", "👍🏽 🇨🇳 ❤️ #️⃣ 🏴\U000e0067\U000e0062\U000e007f", "e\u0301 é E\u0301 É ê\u0323", "a" * 300,
        "supercalifragilisticexpialidocious" * 40, "é" * 500, "中" * 1000, " " * 10000,
        "a" + " " * 10000 + "b", "\u3000" * 100 + "x", "Ã© Ã¼ â€™ mojibake", "Ｆｕｌｌ ｗｉｄｔｈ １２３！",
        "ﾊﾝｶｸ ｶﾞ", "שָׁלוֹם עוֹלָם", "مَرْحَبًا بالعالم ۱۲۳", "\u202eRTL\u202c \u200fx\u200e",
        "&amp; &lt;b&gt; &quot;q&quot; &#39;s &#x27; &nbsp;&eacute;", "&amp;amp;amp; &amp;lt;",
        "&ampx &notit; &notin; &ltimes; &EACUTE; &SZLIG; &LTIMES; &AMP &#0; &#128; &#xD800; &#1114112;",
        "&#99999999999999999999; &#x; &#; & &; &unknown; &Aacute &aacute1 &copy2026 &thetasym;",
        "<b>&eacute;</b>", "one &eacute;\n<b>two &eacute;\nthree &eacute;", "&#65;&#066; &#x1F600;",
        "zero\u200bwidth\u200cnon\u2060joiner", "soft\u00adhyphen", "it's we're I'll they'd can't 'S 'ſ ’s",
        "‘curly’ “quotes” ‛x‟ ʼn ŉ", "ﬁnancial ﬂag ﬃ ﬅ ĳ Ĳ Ǆ ǆ Ǳ", "ΟΔΥΣΣΕΥΣ ΣΊΣΥΦΟΣ Σ ΑΣ'Σ", "İstanbul ISTANBUL ı",
        "ǅ ẞ Straße K Å Ω", "1234567890 3.14 ½ ² Ⅷ ① ٣", "x_y __init__ a-b--c a---b", "!!!??? ... …",
        "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "<start_of_text> <end_of_text> <|startoftext|>x<|endoftext|>",
        "<START_OF_TEXT> a<|endoftext|>", "!<start_of_text> x<end_of_text>'s<end_of_text>!",
        "<end_of_text><end_of_text> -<end_of_text>- é<end_of_text>", "<s> </s> <pad> <unk> <mask> [MASK] [CLS] <eos> <bos>",
        "a <mask> b", "a   <mask>   b", "  <y>  ", "x<y>z", "a \u3000<y>\t b", "two dogs Two Dogs TWO  DOGS two dogs",
        "▁ ▁▁ ▁▁▁ a▁b", "a▁▁▁▁▁▁▁▁▁▁b", "<0x41> <0xE2>", "\x1b[31mred\x1b[0m \x1b[ \x1b[1;2x", "\x07bell\x7f\x80\x85\x9f",
        "line\r\nbreak\rnext\u2028sep\u2029par\x0bvt\x0cff\x1cfs\x1dgs\x85nel", "\ufeffbom", "㎡ ㍿ ﷺ ℌ ½ ①",
        "각 힣 가 ㄱ", "नमस्ते क्षि", "ไทยสวัสดี", "\U0001d49c\U0001d4c1 𝟙𝟚", "\U00020000 \U0002b820", "\u0378 \ufdd0 \U0010ffff",
        "a\u0316\u0301b a\u0301\u0316b \u1e69 \u0344 \u0958 \u2adc \U0001d15e", "\u07fd\u0334 \u1df6\u0301 \u0898",
        "Two dogs-run -- 12ab34, (x)!!", "\n\n\n", "a\n\nb", " leading", "trailing ", "  both  ", "A B\u00a0C\u2003D",
        "狗在草地上跑。两只狗", "ñandú naïve Ångström Đỗ Nguyễn", "ПРИВЕТ мир ёлка", "ab" * 5000, "The quick, brown fox." * 100,
    ]


def random_texts(count):
    blocks = [(0x20, 0x7F), (0x20, 0x7F), (0x61, 0x7B), (0xA0, 0x250), (0x2B0, 0x370), (0x370, 0x530), (0x590, 0x700),
              (0x900, 0xA00), (0xE00, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070),
              (0x2100, 0x2200), (0x3000, 0x3100), (0x3200, 0x3400), (0x4E00, 0x5000), (0xAC00, 0xAD00), (0xF900, 0xFB10),
              (0xFE00, 0xFE70), (0xFF00, 0xFFF0), (0x1D400, 0x1D800), (0x1F1E6, 0x1F200), (0x1F600, 0x1F650), (0, 0x20)]

    def character():
        if random.random() < 0.25:
            return " "
        while True:
            # Each library classifies newer characters than Unicode 14's by its own version.
            chosen = chr(random.randrange(*random.choice(blocks)))
            if unicodedata.category(chosen) != "Cn":
                return chosen
    return ["".join(character() for _ in range(random.randrange(1, 40))) for _ in range(count)]
