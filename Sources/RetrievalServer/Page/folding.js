// Near-duplicates: folded under the best of them, or shown one by one.

import { foldedOf } from "./answers.js";
import { button } from "./notices.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);

/** Shows on a tile how many images are folded under it. */
export function dressFolded(tile, { duplicates }) {
  const badge = tile.querySelector(".stack");
  const count = duplicates?.length ?? 0;
  badge.hidden = count === 0;
  badge.textContent = count ? say("duplicatesOnTile", count) : "";
  badge.setAttribute("aria-label", count ? say("duplicates", count) : "");
}

/** Shows above the results whether near-duplicates are folded, with a switch; hides the line if there are none. */
export function showFolding(answer, query, change) {
  const line = find("folding");
  line.hidden = !answer?.isResult || (foldedOf(answer) === 0 && !query.unfolds);
  if (line.hidden) return;
  const hadFocus = line.contains(document.activeElement);
  const act = button(say(query.unfolds ? "fold" : "unfold"), () => change({ unfolds: !query.unfolds }), "link");
  const text = document.createElement("span");
  text.textContent = say(query.unfolds ? "unfolded" : "folded");
  line.replaceChildren(text, act);
  if (hadFocus) act.focus();
}
