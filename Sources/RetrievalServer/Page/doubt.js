// The line above results if none of them matches well.

import { doubts, isDoubtful } from "./words.js";

const find = (id) => document.getElementById(id);

/** Shows or hides the line that no result matches well; the results are then paler. */
export function showDoubt(answer) {
  const isDoubted = isDoubtful(answer);
  find("doubt").hidden = !isDoubted;
  find("grid").classList.toggle("doubtful", isDoubted);
  if (!isDoubted) return;
  const [first, rest] = doubts(answer);
  find("doubt").querySelector("strong").textContent = first;
  find("doubt").querySelector("span").textContent = rest;
}
