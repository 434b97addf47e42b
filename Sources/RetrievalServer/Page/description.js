// The facts of one image: its rank in the search, the data in its file, and the metadata that people added.

import { momentOf, placeOf, sizeOf } from "./about.js";
import { currentLanguage, percent, say } from "./strings.js";
import { hasProbability, shownMove, spokenMove } from "./tile.js";

/** One row of a list of facts: a name and its value. */
export function fact(name, value, note, spoken) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const detail = document.createElement("dd");
  term.textContent = name;
  detail.dir = "auto";
  detail.textContent = value;
  if (note) {
    const small = document.createElement("small");
    small.textContent = note;
    if (spoken) {
      // Only an element with a role may have a label.
      small.setAttribute("role", "img");
      small.setAttribute("aria-label", spoken);
    }
    detail.append(" ", small);
  }
  group.append(term, detail);
  return group;
}

const written = (value) => {
  if (Array.isArray(value)) return value.map(written).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
};

function found(item, { isResult, isReranked, isCalibrated }) {
  const facts = [];
  if (hasProbability(item)) {
    const note = isCalibrated ? null : say("uncalibrated");
    facts.push(fact(say("probability"), percent(item.match_probability), note));
  }
  if (isReranked) {
    const hasMove = hasProbability(item);
    facts.push(fact(say("rank"), item.rank, hasMove ? shownMove(item) : null, hasMove ? spokenMove(item) : null));
  }
  if (isResult) {
    facts.push(fact(say("recallRank"), item.recall_rank));
    if (typeof item.similarity === "number") facts.push(fact(say("similarity"), item.similarity.toFixed(3)));
  }
  return facts;
}

function told({ about = {}, size, folder, path, modified }) {
  const { date, camera, lens, width, height, orientation } = about;
  const count = (number) => number.toLocaleString(currentLanguage());
  const changed = new Date(modified ?? NaN);
  const style = { dateStyle: "medium", timeStyle: "short" };
  const parts = {
    taken: date && momentOf(date),
    camera,
    lens,
    pixels: width && height && `${count(width)} × ${count(height)}`,
    size: size !== undefined && sizeOf(size),
    orientation: orientation && (say("orientations")[orientation] ?? orientation),
    location: placeOf(about),
    folder,
    path,
    modified: !Number.isNaN(changed.valueOf()) && changed.toLocaleString(currentLanguage(), style),
  };
  return Object.entries(parts).filter(([, value]) => value).map(([name, value]) => fact(say(name), value));
}

/**
 * The facts of an item, as rows of a description list.
 *
 * @param context isResult, isReranked, isCalibrated
 */
export const describe = (item, context) => [
  ...found(item, context),
  ...told(item),
  ...Object.entries(item.metadata ?? {}).map(([name, value]) => fact(name, written(value))),
];
