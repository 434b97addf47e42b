// Messages above or instead of the results: notes with buttons, and problems.

import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
let countdown = 0;

export function button(text, act, style = "plain") {
  const made = document.createElement("button");
  made.type = "button";
  made.className = style;
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

/** Makes a dialog close at its button and at a click beside it. */
export function closes(name) {
  find(`${name}-close`).addEventListener("click", () => find(name).close());
  find(name).addEventListener("click", (event) => event.target === find(name) && find(name).close());
}

export function note(text, ...actions) {
  const made = document.createElement("p");
  made.className = "note";
  const words = document.createElement("span");
  words.textContent = text;
  made.append(words, ...actions);
  return made;
}

/** Has a screen reader speak a text, even if it repeats the last one. */
export function announce(text) {
  const live = find("live");
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

export function clearNotes() {
  find("notes").replaceChildren();
}

/** Shows these notes beside the complaints; changes nothing if they are already shown. */
export function showNotes(notes) {
  const standing = [...find("notes").children].filter((made) => !made.matches(".complaint"));
  const said = (some) => some.map((made) => made.textContent).join("\n");
  if (said(standing) === said(notes)) return;
  standing.forEach((made) => made.remove());
  find("notes").append(...notes);
}

/** Shows a note above the others until the visitor closes it or changes the query. */
export function complain(text) {
  const made = note(text, button(say("close"), () => made.remove(), "quiet"));
  made.classList.add("complaint");
  find("notes").prepend(made);
  announce(text);
}

/** Shows why there is nothing else to show. */
export function showTrouble(title, detail, ...actions) {
  find("trouble-title").textContent = title;
  find("trouble-detail").textContent = detail;
  find("trouble-actions").replaceChildren(...actions);
  find("trouble").hidden = false;
  announce(`${title}. ${detail}`);
}

/** Hides the problem. */
export function hideTrouble() {
  clearInterval(countdown);
  find("trouble").hidden = true;
}

/** Disables a button for as long as the server asked, then calls `act`. */
export function countDown(seconds, retry, act) {
  clearInterval(countdown);
  let left = seconds;
  const tick = () => {
    retry.disabled = left > 0;
    retry.textContent = left > 0 ? say("retryIn", left) : say("retry");
    if (left <= 0) {
      clearInterval(countdown);
      act();
    }
    left -= 1;
  };
  tick();
  countdown = setInterval(tick, 1000);
}
