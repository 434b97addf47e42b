// Searches with a file that is dropped or pasted on the page, or adds such files to the gallery.

import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

export class FileDrop {
  #depth = 0;
  #isWritable = false;

  /** @param actions search(file, name), which searches with it; add(files), which adds them to the gallery */
  constructor(actions) {
    this.actions = actions;
    addEventListener("dragenter", (event) => {
      if (!holdsFiles(event)) return;
      this.#cover(1);
      this.#offer(event.dataTransfer.items.length);
    });
    addEventListener("dragleave", (event) => holdsFiles(event) && this.#cover(-1));
    addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.#mark(this.#zoneAt(event));
    });
    addEventListener("drop", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      const zone = this.#zoneAt(event);
      this.#depth = 0;
      find("drop").hidden = true;
      const { files } = event.dataTransfer;
      if (files.length === 0) return;
      if (zone === find("drop-add")) actions.add(files);
      else actions.search(files[0], files[0].name, files.length);
    });
    addEventListener("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length === 0) return;
      event.preventDefault();
      actions.search(files[0], say("pasted"), files.length);
    });
  }

  /** Offers both targets if the visitor can add images to the gallery. */
  allow({ isWritable }) {
    this.#isWritable = isWritable;
  }

  #cover(change) {
    this.#depth = Math.max(this.#depth + change, 0);
    find("drop").hidden = this.#depth === 0;
  }

  #offer(count) {
    find("drop-search").textContent = say(count > 1 ? "dropFirst" : "drop");
    find("drop-add").textContent = say("dropAdd", count);
    find("drop-add").hidden = !this.#isWritable;
    this.#mark(null);
  }

  /** The nearer of the two targets. */
  #zoneAt({ clientX, clientY }) {
    if (!this.#isWritable || find("drop").hidden) return find("drop-search");
    const distance = (zone) => {
      const { left, right, top, bottom } = zone.getBoundingClientRect();
      return Math.hypot(clientX - (left + right) / 2, clientY - (top + bottom) / 2);
    };
    const [search, add] = [find("drop-search"), find("drop-add")];
    return distance(add) < distance(search) ? add : search;
  }

  #mark(chosen) {
    for (const zone of [find("drop-search"), find("drop-add")]) {
      zone.classList.toggle("near", this.#isWritable && zone === chosen);
    }
  }
}
