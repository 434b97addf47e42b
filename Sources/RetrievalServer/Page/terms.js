// Reads the text of the search field: words, excluded words and weighted words, in the syntax of `albef search`.
//
//   dog -leash            without a leash
//   dog -"red leash"      without a red leash
//   dog^2 beach           twice the weight for the dog
//
// A hyphen within a word or by itself, a negative number, and a caret after a number have no meaning.

const quotes = { '"': '"', "“": "”", "„": "“", "「": "」", "『": "』", "«": "»" };
const openings = Object.keys(quotes).join("");
const space = /\s/u;
const edges = /^[\s,.;:!?，。、；：！？]+|[\s,.;:!?，。、；：！？]+$/gu;
const hyphen = /^[-－−]/u;
const weighed = /^[\^＾](?<weight>\d[\d.]*?)(?<rest>[,.;:!?，。、；：！？]*)$/u;

/** A phrase without punctuation around it; empty if it has no letter and no digit. */
function trimmed(phrase) {
  const text = phrase.replace(edges, "");
  return /[\p{Alphabetic}\p{N}]/u.test(text) ? text : "";
}

const wordAt = (typed, start) => /^\S*/u.exec(typed.slice(start))[0];

/** A phrase in quotation marks; without a closing mark it reaches to the end of the text. */
function phraseAt(typed, start) {
  const close = quotes[typed[start]];
  if (!close) return null;
  const end = typed.indexOf(close, start + 1);
  const text = trimmed(end < 0 ? typed.slice(start + 1) : typed.slice(start + 1, end));
  return { text, isClosed: end >= 0, end: end < 0 ? typed.length : end + 1 };
}

function weightOf(mark) {
  const { weight, rest } = weighed.exec(mark)?.groups ?? {};
  const number = Number(weight);
  return weight && Number.isFinite(number) ? { weight: number, rest } : null;
}

function leftOutAt(typed, start) {
  if (!hyphen.test(typed.slice(start))) return null;
  const phrase = phraseAt(typed, start + 1);
  if (phrase) return phrase.text ? { kind: "without", text: phrase.text, end: phrase.end } : null;
  const word = wordAt(typed, start + 1);
  const text = trimmed(word);
  if (!/^\p{Alphabetic}/u.test(word) || !text) return null;
  return { kind: "without", text, end: start + 1 + word.length };
}

function weighedPhraseAt(typed, start) {
  const phrase = phraseAt(typed, start);
  if (!phrase?.text || !phrase.isClosed) return null;
  const mark = wordAt(typed, phrase.end);
  const weight = weightOf(mark);
  return weight && { kind: "emphasis", text: phrase.text, ...weight, end: phrase.end + mark.length };
}

function wordTermAt(typed, start) {
  const word = wordAt(typed, start);
  const end = start + word.length;
  const caret = Math.max(word.lastIndexOf("^"), word.lastIndexOf("＾"));
  const text = word.slice(0, Math.max(caret, 0));
  const weight = caret > 0 && /\p{Alphabetic}/u.test(text) && !/[\^＾]/u.test(text) && weightOf(word.slice(caret));
  return weight ? { kind: "emphasis", text, ...weight, end } : { kind: "plain", text: word, end };
}

/** The terms of a text in their order: { kind: "plain", "without" or "emphasis", text, weight, start, end }. */
export function termsOf(typed) {
  const terms = [];
  let start = 0;
  while (start < typed.length) {
    if (space.test(typed[start])) {
      start += 1;
      continue;
    }
    const marked = leftOutAt(typed, start) ?? (openings.includes(typed[start]) ? weighedPhraseAt(typed, start) : null);
    const term = marked ?? wordTermAt(typed, start);
    terms.push({ weight: 1, rest: "", ...term, start });
    start = term.end;
  }
  return terms;
}

/** The parts of the query: the text to find, the texts that images should not match, and the weights of words. */
export function readTerms(typed) {
  const terms = termsOf(typed);
  if (terms.every(({ kind }) => kind === "plain")) return { text: typed.trim(), without: [], emphasis: {} };
  const of = (wanted) => terms.filter(({ kind }) => kind === wanted);
  return {
    text: terms.filter(({ kind }) => kind !== "without").map(({ text, rest }) => text + rest).join(" "),
    without: [...new Set(of("without").map(({ text }) => text))],
    emphasis: Object.fromEntries(of("emphasis").map(({ text, weight }) => [text, weight])),
  };
}

/** The typed text without one of its terms; a weighted term loses only its weight. */
export function dropTerm(typed, { kind, text, rest, start, end }) {
  const kept = kind === "emphasis" ? text + rest : "";
  return `${typed.slice(0, start)}${kept}${typed.slice(end)}`.replace(/\s+/gu, " ").trim();
}
