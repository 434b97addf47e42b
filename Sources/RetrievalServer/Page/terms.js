// What is typed into the search field: words, negative words and weighted words.
//
//   dog -leash            without a leash
//   dog -"red leash"      without a red leash
//   dog^2 beach           the dog counts twice
//   "-5 degrees"          quotes keep what is in them as it is

// A hyphen is a sign only where a word begins; one within a word stays.
const term = new RegExp(
  "(?<sign>[-－−](?=[^\\s\\-－−]))?" +
    "(?:\"(?<straight>[^\"]+)\"|“(?<curved>[^”]+)”|「(?<corner>[^」]+)」|(?<word>\\S+?))" +
    "(?:[\\^＾](?<weight>\\d+(?:\\.\\d+)?))?(?=\\s|$)",
  "gu",
);

/** The weights that a word may have. */
export const weights = { least: 0, most: 4 };

const bare = (word) => word.replace(/^["“「]+|["”」,.;!?，。；！？]+$/gu, "");

/** The terms of a text in their order: { kind: "plain", "without" or "emphasis", text, weight, start, end }. */
export function termsOf(typed) {
  const terms = [];
  for (const match of typed.matchAll(term)) {
    const { sign, straight, curved, corner, word, weight } = match.groups;
    const phrase = (straight ?? curved ?? corner)?.trim();
    const text = phrase ?? (sign || weight ? bare(word) : word);
    if (!text) continue;
    const place = { start: match.index, end: match.index + match[0].length };
    if (sign) terms.push({ kind: "without", text, weight: 1, ...place });
    else if (weight) terms.push({ kind: "emphasis", text, weight: limited(Number(weight)), ...place });
    else terms.push({ kind: "plain", text: match[0], weight: 1, ...place });
  }
  return terms;
}

const limited = (weight) => Math.min(Math.max(weight, weights.least), weights.most);

/** What is asked: the text to find, the texts that images must not match, and weights other than 1. */
export function readTerms(typed) {
  const terms = termsOf(typed);
  if (terms.every(({ kind }) => kind === "plain")) return { text: typed.trim(), without: [], emphasis: {} };
  const weighted = terms.filter(({ kind, weight }) => kind === "emphasis" && weight !== 1);
  return {
    text: terms.filter(({ kind }) => kind !== "without").map(({ text }) => text).join(" "),
    without: [...new Set(terms.filter(({ kind }) => kind === "without").map(({ text }) => text))],
    emphasis: Object.fromEntries(weighted.map(({ text, weight }) => [text, weight])),
  };
}

/** The typed text without one of its terms; a weighted one loses its weight alone. */
export function dropTerm(typed, { kind, text, start, end }) {
  const rest = kind === "emphasis" ? text : "";
  return `${typed.slice(0, start)}${rest}${typed.slice(end)}`.replace(/\s+/gu, " ").trim();
}
