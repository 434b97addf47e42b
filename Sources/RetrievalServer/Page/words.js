// The texts about an answer: its summary, the reason for its order, and notes on it.

import { countOf, foldedOf } from "./answers.js";
import { labelOf } from "./facts.js";
import { button, note } from "./notices.js";
import { isSearch, minimumOf } from "./query.js";
import { betweenSentences, comma, memory, percent, say } from "./strings.js";
import { hasProbability } from "./tile.js";

// Rankings that combine the match with the similarity.
const weighing = ["posterior", "itm+itc"];

/** The number of images and their order, in one phrase. */
export function outcome(answer, order) {
  const [count, folded] = [countOf(answer), foldedOf(answer)];
  const parts = [say(answer.isDated && answer.isResult ? "bestMatches" : "browse", count)];
  if (folded) parts.push(say("alike", folded, count));
  if (answer.isDated) parts.push(say("sorted")[answer.sort]);
  else if (answer.isReranked) parts.push(say(order === "recall" ? "inRecall" : "inRank"));
  return parts.join(comma());
}

/** The outcome and the time of the search. */
export function summary(answer, order) {
  const text = outcome(answer, order);
  if (!answer.milliseconds || answer.is_cached) return text;
  const { encode = 0, recall = 0, rerank = 0 } = answer.milliseconds;
  const time = encode + recall + rerank;
  return `${text} · ${say("timing", time < 10 ? time.toFixed(1) : Math.round(time))}`;
}

/** The times of the search's stages; empty if they are not known. */
export function timings(answer) {
  if (!answer.milliseconds || answer.is_cached) return "";
  const { encode = 0, recall = 0, rerank = 0 } = answer.milliseconds;
  return say("timings", encode.toFixed(1), recall.toFixed(1), rerank.toFixed(1));
}

/** The reason why a lower percentage stands above a higher one; empty if none does. */
export function whyInOrder(answer, items, order, index) {
  if (!answer.isReranked) return "";
  const matches = items.filter(hasProbability).map((item) => item.match_probability);
  const rises = (match, place) => place > 0 && match > matches[place - 1] && percent(match) !== percent(matches[place - 1]);
  if (!matches.some(rises)) return "";
  if (order === "recall") return say("whyRecall");
  return weighing.includes(index?.standard_ranking) ? say("whyRank") : "";
}

/** Whether no result matches well, so that the results are only the closest images. */
export const isDoubtful = (answer) => answer.isResult && answer.matches_well === false && answer.results.length > 0;

/** The two texts above such results: that nothing matches well, and which words the model does not know. */
export const doubts = (answer) => [say("doubt"), [unknownWords(answer), say("closest")].filter(Boolean).join(betweenSentences())];

/** The words of the search that the model does not know, as a sentence; empty if it knows all. */
function unknownWords(answer) {
  const words = answer.reading?.unknown_words ?? [];
  if (words.length === 0) return "";
  const named = words.slice(0, 6).map((word) => say("quoted", word.length > 40 ? `${word.slice(0, 40)}…` : word));
  return say("unknownWords", named.join(comma()), words.length - named.length);
}

/**
 * Notes on an answer.
 *
 * @param isStale whether the index has changed since the search
 * @param actions refresh(), showSkipped(), changed(), called after a note was closed
 */
export function notesOn(answer, query, index, isStale, actions) {
  const notes = [];
  if (index?.indexing?.error) notes.push(note(say("folderTrouble", index.indexing.error)));
  const skipped = index?.skipped?.count ?? 0;
  if (!answer.isResult && skipped && memory.get("skipped") !== String(skipped)) {
    const close = button(say("close"), () => {
      memory.set("skipped", String(skipped));
      actions.changed();
    }, "quiet");
    notes.push(note(say("skippedNote", skipped), button(say("showSkipped"), actions.showSkipped), close));
  }
  if (answer.isResult) {
    if (answer.reading?.is_cut) notes.push(note(say("cut")));
    if (index?.model?.matches === false) notes.push(note(say("mismatch")));
    else if (index?.model?.is_trained === false || index?.model?.recall?.is_trained === false) notes.push(note(say("untrained")));
  }
  if (isStale) notes.push(note(say("changed"), button(say("refresh"), actions.refresh)));
  return notes;
}

/** The title, the detail and the buttons to show for an answer without items. */
export function nothing(answer, query, index, change) {
  if (!answer.isResult && query.filters.length === 0) return [say("emptyIndex"), say("emptyIndexHint")];
  if (answer.isResult && index?.images === 0) return [say("emptySearch"), say("emptySearchHint")];
  const reasons = [];
  const ways = [];
  if (answer.isResult && minimumOf(query)) {
    reasons.push(say("nothingAtLeast", percent(query.minimum)));
    ways.push(button(say("dropMinimum"), () => change({ minimum: 0 })));
  }
  if (query.filters.length) {
    reasons.push(say("nothingWith", query.filters.map(labelOf).join(comma())));
    ways.push(button(say("dropConditions"), () => change({ filters: [] })));
  }
  return [say("nothing"), reasons.join(betweenSentences()) || say("nothingPlain"), ...ways];
}

/** The title of a problem. */
export const problemTitle = (error) =>
  error.isOffline ? say("offline") : (say("problems")[error.kind] ?? error.title ?? say("failed"));

/** The title of a problem, and its detail. */
export function failure(error) {
  if (error.isOffline) return [say("offline"), say("offlineHint")];
  if (error.kind === "only-without") return [problemTitle(error), say("onlyWithoutHint")];
  return [problemTitle(error), error.kind === "empty-text" ? say("emptyTextHint") : error.message];
}

/** The title of the window. */
export const windowTitle = (query) =>
  (isSearch(query) && query.text ? `${query.text} – albef` : `albef – ${say("title")}`);
