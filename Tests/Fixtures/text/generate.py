"""Writes captions.json: varied texts and what the reference tools make of them.

    pip install tokenizers
    python generate.py > captions.json

Token ids are those of the `tokenizers` library; the cleaning rules are stated here once more in
Python, with its regular expressions and its `str.lower()`.
"""

import json
import pathlib
import random
import re

from tokenizers import BertWordPieceTokenizer

random.seed(20)
vocabularies = pathlib.Path(__file__).parent.parent / "vocabularies"

COLOURS = "red navy beige off-white turquoise charcoal café-au-lait crème".split()
CLOTHES = "shirt jeans T-shirt hoodie qipao sneakers châle sarong turtleneck".split()
PEOPLE = ["a man", "two women", "an old fisherman", "the 3 kids", "someone's uncle", "<person>"]
PLACES = ["by a river", "in São Paulo", "at 5:30 p.m.", "on the N°7 tram", "under neon signs", "…"]
ZH_COLOURS = "红色 深蓝 米白 豹纹 黑白相间的 翠绿".split()
ZH_CLOTHES = "上衣 牛仔裤 连衣裙 旗袍 运动鞋 围巾 T恤".split()
ZH_PEOPLE = "一个男人 两位姑娘 穿着西装的老人 3个孩子 骑自行车的人 小狗".split()
ZH_PLACES = "在河边 站在雨中。 坐在长椅上， 走过斑马线！ 于２０１９年 “广场”".split()

FIXED = [
    "", " ", "\t\n\r ", "\u0000\u0007\u001b", "\ufffd", "\u200b\u200d\ufeff", "\u0301\u0301",
    "\u2028\u2029", "\u3000", "a\u0000b", "a\u000bb\u000cc\u0085d\u001ce", "soft\u00adhyphen",
    "x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101, "e\u0301" * 100, "e\u0301" * 101,
    "中" * 120, "supercalifragilisticexpialidocious", "unaffable", "don't can't o'clock",
    "[MASK] [CLS] and [SEP] [PAD] [UNK] [mask]", "[MASK", "##ing ##", "#", "[unused1]",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "€£¥©®™°±²³¼×÷§¶·¿¡«»‹›", "≠ ≤ ∞ √ ∑ → ⇒ ■ ★ ♥ ☎ ✓",
    "“quoted” ‘single’ — en–dash … ellipsis‽ ⁈", "、。〈〉《》「」『』【】〜！？（），．：；～",
    "café cafe\u0301 naïve Ångström Å \u212b \u2126 K\u212a", "İstanbul ISTANBUL ıstanbul",
    "ΟΔΥΣΣΕΥΣ ΣΊΣΥΦΟΣ Σ ΑΣ'Σ ΑΣ. ὈΔΥΣΣΕΎΣ", "Straße STRASSE ẞ ﬁnancial ﬂag", "Đỗ Nguyễn Phở bò",
    "ПРИВЕТ мир, ёлка йод", "Ελληνικά ά έ ή", "שָׁלוֹם עוֹלָם", "مَرْحَبًا بالعالم ۱۲۳ ٣٤", "नमस्ते दुनिया", "ไทยสวัสดี",
    "日本語のカタカナ ガギグ が ﾊﾝｶｸ", "한국어 각 힣 ㄱ", "Ｆｕｌｌ ｗｉｄｔｈ １２３！", "𝒜𝓁𝓅𝒽𝒶 𝟙𝟚𝟛 🅰",
    "emoji 😀👍🏽 👨‍👩‍👧‍👦 🇨🇳 ❤️ #️⃣ 🧥", "\ue000private\U000f0000", "\U000e0041tag", "﨎 豈 \uf900 \U0002f800",
    "\U00020000 \U0002b740 \U0002b820 \U0002b920 \U0002ceb0 \u9fff \u4dbf \u3400 \ua000",
    "a\u0316\u0301b a\u0301\u0316b \u1e69", "\u0344 \u0958 \u0f73 \u2adc \U0001d15e", "\u0378 \u05ff \ufdd0",
    "\u07fd\u0334 \u1df6\u0301 \u0898\u0334 \U00011938\u0301 \u1ab0\u1ac5", "ǅ ǈ ᾈ ΐ ᏸ Ꮳ ꭰ Ა",
    "3.14159 x 10^-5 = ? 1,234,567 50% $9.99 #1", "http://example.com/a_b-c?d=e&f=g", "C++ C# .NET",
    "x_y-z a/b a-b--c a---b", "-", "/", "-/-", "<person> and <PERSON>s", "<per.son> <<person>>",
    "tabs\tand\nnewlines", " \n\n trailing \n\n ", "a \n", "a\n ", "\n a", "a\u00a0\u00a0b \u2003 c\u2003d",
    "it's 3.5 meters ... long", " ".join(f"w{i}" for i in range(60)), "w. " * 40, "w ! " * 60,
    "(" * 200, "word " * 200, "many   spaces    here", "\u1680\u180e\u205f\u202f", "A" * 50 + "中" + "B" * 60,
]


def caption_like():
    pick = random.choice
    texts = list(FIXED)
    for _ in range(60):
        texts.append(f"{pick(PEOPLE).capitalize()} in {pick(COLOURS)} {pick(CLOTHES)} and "
                     f"{pick(COLOURS)}/{pick(COLOURS)} {pick(CLOTHES)}, {pick(PLACES)}{pick('.!? ')}")
        texts.append(f"{pick(ZH_PEOPLE)}穿{pick(ZH_COLOURS)}{pick(ZH_CLOTHES)}"
                     f"{pick(['、', '和', ' ', '&'])}{pick(ZH_COLOURS)}{pick(ZH_CLOTHES)}{pick(ZH_PLACES)}")
    blocks = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700),
              (0x900, 0xA00), (0x1E00, 0x2000), (0x2000, 0x2070), (0x3000, 0x3100),
              (0x4E00, 0x5000), (0xAC00, 0xAD00), (0xFF00, 0xFFF0), (0x1F600, 0x1F650)]
    for _ in range(60):
        texts.append("".join(chr(random.randrange(*pick(blocks))) if random.random() < 0.8 else " "
                             for _ in range(random.randrange(1, 40))))
    return texts


def cut(text, words):
    return " ".join(text.split(" ")[:words])


def tidy(text, words):
    return cut(re.sub(r"\s{2,}", " ", text).rstrip("\n").strip(" "), words)


def open_compounds(text):
    return text.replace("-", " ").replace("/", " ")


ALBEF, LAVIS = r"([,.'!?\"()*#:;~])", r"([.!\"()*#:;~])"


def row(text, tokenizers):
    original = open_compounds(re.sub(ALBEF, "", text.lower()))
    return {
        "text": text,
        "albefCaption": tidy(original.replace("<person>", "person"), 30),
        "albefQuestion": cut(original.rstrip(" "), 30),
        "lavisCaption": tidy(re.sub(LAVIS, " ", text.lower()), 50),
        "lavisQuestion": cut(re.sub(LAVIS, "", text.lower()).rstrip(" "), 50),
        "ids": {name: tokenizer.encode(text, add_special_tokens=False).ids
                for name, tokenizer in tokenizers.items()},
    }


def tokenizer(name, lowercase):
    lines = (vocabularies / name).read_bytes().decode().split("\n")
    vocabulary = {token: index for index, token in enumerate(lines) if token}
    made = BertWordPieceTokenizer(vocabulary, lowercase=lowercase)
    # The wrapper would read "[MASK]" in a text as the token; the product does not.
    return type(made._tokenizer).from_str(strip_added(made._tokenizer.to_str()))


def strip_added(text):
    state = json.loads(text)
    state["added_tokens"] = []
    state["post_processor"] = None
    return json.dumps(state)


def main():
    tokenizers = {
        "english": tokenizer("bert-base-uncased-vocab.txt", True),
        "chinese": tokenizer("bert-base-chinese-vocab.txt", True),
        "cased": tokenizer("bert-base-chinese-vocab.txt", False),
    }
    rows = [json.dumps(row(text, tokenizers)) for text in caption_like()]
    print("[\n" + ",\n".join(rows) + "\n]")


if __name__ == "__main__":
    main()
