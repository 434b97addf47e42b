// The line above results of which none matches well.

import { doubts, isDoubtful } from "./words.js";

const find = (id) => document.getElementById(id);

/** Says above the results that none matches well, where that is so; they are paler then. */
export function showDoubt(answer) {
  const isDoubted = isDoubtful(answer);
  find("doubt").hidden = !isDoubted;
  find("grid").classList.toggle("doubtful", isDoubted);
  if (!isDoubted) return;
  const [first, rest] = doubts(answer);
  find("doubt").querySelector("strong").textContent = first;
  find("doubt").querySelector("span").textContent = rest;
}
