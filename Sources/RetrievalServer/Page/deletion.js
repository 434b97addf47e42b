// Deletes images from the gallery after the visitor has confirmed it.

import { isAbort } from "./api.js";
import { button } from "./notices.js";
import { byOwner } from "./owners.js";
import { betweenSentences, comma, say } from "./strings.js";
import { removeImage } from "./writing.js";

const find = (id) => document.getElementById(id);
const namedAtMost = 5;
const atOnce = 4;

function list(items) {
  const names = items.slice(0, namedAtMost).map(({ name }) => {
    const entry = document.createElement("li");
    entry.dir = "auto";
    entry.textContent = name;
    return entry;
  });
  if (items.length > namedAtMost) {
    const rest = document.createElement("li");
    rest.textContent = say("deleteRest", items.length - namedAtMost);
    names.push(rest);
  }
  return names;
}

/**
 * Asks whether to delete these images, and explains what that removes.
 *
 * @returns the images to delete; none if the visitor cancels
 */
export function confirmDeletion(items) {
  const dialog = find("confirm");
  const owners = byOwner(items);
  const doomed = items.filter((item) => !owners.folder.includes(item));
  const said = Object.entries(owners).filter(([, own]) => own.length).map(([owner, own]) => say("deletes", owner, own.length));
  find("confirm-title").textContent = doomed.length ? say("deleteTitle", doomed.length) : say("deleteNone", items.length);
  find("confirm-text").textContent = said.join(betweenSentences());
  find("confirm-names").replaceChildren(...list(doomed));
  return new Promise((resolve) => {
    let isSure = false;
    const sure = button(say("deleteSure", doomed.length), () => {
      isSure = true;
      dialog.close();
    }, "strong danger");
    const cancel = button(say(doomed.length ? "cancel" : "close"), () => dialog.close());
    find("confirm-actions").replaceChildren(cancel, ...(doomed.length ? [sure] : []));
    dialog.addEventListener("close", () => resolve(isSure ? doomed : []), { once: true });
    dialog.showModal();
    cancel.focus();
  });
}

/**
 * Deletes images, several at once.
 *
 * @param progress(done, total)
 * @returns gone: the ids of deleted images; reasons: each reason why others were not, with their number
 */
export async function deleteImages(items, { progress, signal }) {
  const gone = [];
  const reasons = new Map();
  const waiting = [...items];
  let done = 0;
  const work = async () => {
    while (waiting.length && !signal?.aborted) {
      const { id } = waiting.shift();
      try {
        await removeImage(id, signal);
        gone.push(id);
      } catch (error) {
        if (isAbort(error)) {
          // The visitor gave no key, or stopped the deletion.
          waiting.length = 0;
          return;
        }
        if (error.kind === "not-found") gone.push(id);
        else reasons.set(error.message, (reasons.get(error.message) ?? 0) + 1);
      }
      done += 1;
      progress?.(done, items.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return { gone, reasons };
}

/** The reasons why images were not deleted, as one text; empty if all were. */
export const remainder = (reasons) =>
  [...reasons].map(([reason, count]) => say("deleteStayed", count, reason)).join(comma());
