// The panel of added files: the progress of each, and the reason if it failed.

import { announce, button } from "./notices.js";
import { say } from "./strings.js";
import { UploadQueue } from "./uploadqueue.js";
import { problemTitle } from "./words.js";

const find = (id) => document.getElementById(id);

export class Uploads {
  #rows = new Map();
  #queue = new UploadQueue({ changed: (entry) => this.#show(entry), finished: () => this.#finish() });

  /** @param actions added(), called after images were added; open(id) */
  constructor(actions) {
    this.actions = actions;
    find("add-images").addEventListener("click", () => this.choose());
    find("upload-files").addEventListener("change", (event) => {
      this.add(event.target.files);
      event.target.value = "";
    });
    find("uploads-close").addEventListener("click", () => this.#close());
    find("uploads-retry").addEventListener("click", () => {
      this.#queue.entries.filter(({ state }) => state === "failed").forEach((entry) => this.#queue.retry(entry));
    });
    find("uploads-cancel").addEventListener("click", () => this.#queue.cancelAll());
    addEventListener("beforeunload", (event) => this.#queue.isBusy && event.preventDefault());
  }

  /** Offers to add images if the service allows it. */
  allow({ isWritable }) {
    find("add-images").hidden = !isWritable;
  }

  /** Lets the visitor choose files to add. */
  choose() {
    find("upload-files").click();
  }

  /** Adds files to the gallery. */
  add(files) {
    if (files.length === 0) return;
    find("uploads").hidden = false;
    this.#queue.add(files);
  }

  /** Writes all texts again in the chosen language. */
  write() {
    this.#queue.entries.forEach((entry) => this.#show(entry));
  }

  #show(entry) {
    if (!this.#rows.has(entry)) {
      this.#rows.set(entry, this.#make(entry));
      find("uploads-list").append(this.#rows.get(entry));
    }
    const row = this.#rows.get(entry);
    row.dataset.state = entry.state;
    const bar = row.querySelector("progress");
    bar.hidden = entry.state !== "sending";
    bar.max = entry.total;
    // A file that was sent is not in the index yet.
    if (entry.sent >= entry.total) bar.removeAttribute("value");
    else bar.value = entry.sent;
    row.querySelector(".state").textContent = this.#stateOf(entry);
    const buttons = this.#buttonsOf(entry);
    const focused = row.querySelector(".acts").contains(document.activeElement);
    row.querySelector(".acts").replaceChildren(...buttons);
    if (focused) (buttons[0] ?? find("uploads-close")).focus();
    this.#showAll();
  }

  #make({ file }) {
    const row = find("upload").content.firstElementChild.cloneNode(true);
    row.querySelector("strong").textContent = file.name;
    row.querySelector("progress").setAttribute("aria-label", file.name);
    return row;
  }

  #stateOf(entry) {
    if (entry.state === "failed") return say("problemLine", problemTitle(entry.problem), entry.problem.message);
    if (entry.state === "sending" && entry.waits && !entry.sent) return say("uploadBusy");
    return say("uploadStates")[entry.state];
  }

  #buttonsOf(entry) {
    const named = (key, act) => {
      const made = button(say(key), act, "quiet");
      made.setAttribute("aria-label", say("ofFile", say(key), entry.file.name));
      return made;
    };
    if (entry.state === "done") return entry.image ? [named("show", () => this.actions.open(entry.image))] : [];
    if (entry.isOver) return [named("retry", () => this.#queue.retry(entry))];
    return [named("cancel", () => this.#queue.cancel(entry))];
  }

  #showAll() {
    const queue = this.#queue;
    const total = queue.entries.length;
    find("uploads-title").textContent = queue.isBusy
      ? say("uploading", queue.count("done"), total)
      : say("uploaded", queue.count("done"), queue.count("failed"));
    find("uploads-share").value = queue.share;
    find("uploads-share").hidden = !queue.isBusy;
    find("uploads-cancel").hidden = !queue.isBusy;
    find("uploads-retry").hidden = queue.isBusy || queue.count("failed") === 0;
  }

  #finish() {
    const done = this.#queue.count("done");
    announce(say("uploaded", done, this.#queue.count("failed")));
    if (done) this.actions.added();
  }

  /** Closes the panel; running uploads continue, and show it again. */
  #close() {
    const { entries } = this.#queue;
    this.#queue.clear();
    for (const entry of entries) {
      if (this.#queue.entries.includes(entry)) continue;
      this.#rows.get(entry)?.remove();
      this.#rows.delete(entry);
    }
    find("uploads").hidden = true;
    find("add-images").focus();
  }
}
