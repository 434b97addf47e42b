// Images that look nearly the same: folded under the best of them, or shown one by one.

import { button } from "./notices.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);

/** Says on a tile how many others it stands for. */
export function dressFolded(tile, { duplicates }) {
  const badge = tile.querySelector(".stack");
  const count = duplicates?.length ?? 0;
  badge.hidden = count === 0;
  badge.textContent = count ? say("duplicatesOnTile", count) : "";
  badge.setAttribute("aria-label", count ? say("duplicates", count) : "");
}

/** Says above the results how many are folded away, with a switch; nothing where there are none. */
export function showFolding(answer, query, change) {
  const line = find("folding");
  const folded = answer?.isResult ? answer.results.reduce((sum, { duplicates }) => sum + (duplicates?.length ?? 0), 0) : 0;
  line.hidden = !answer?.isResult || (folded === 0 && !query.unfolds);
  if (line.hidden) return;
  const hadFocus = line.contains(document.activeElement);
  const act = button(say(query.unfolds ? "fold" : "unfold"), () => change({ unfolds: !query.unfolds }), "link");
  const text = document.createElement("span");
  text.textContent = query.unfolds ? say("unfolded") : say("folded", folded);
  line.replaceChildren(text, act);
  if (hadFocus) act.focus();
}
