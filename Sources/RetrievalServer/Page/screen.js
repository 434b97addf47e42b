// Gives the open image the whole screen, where the browser can.

import { say } from "./strings.js";

const find = (id) => document.getElementById(id);

export class Screen {
  constructor() {
    find("viewer-full").hidden = !document.fullscreenEnabled;
    find("viewer-full").addEventListener("click", () => this.toggle());
    document.addEventListener("fullscreenchange", () => this.#write());
  }

  get isFull() {
    return document.fullscreenElement === find("viewer-whole");
  }

  /** Takes the whole screen, or gives it back. */
  toggle() {
    if (this.isFull) this.leave();
    // A browser may refuse; the image then stays as large as it is.
    else find("viewer-whole").requestFullscreen?.().catch(() => {});
  }

  leave() {
    if (this.isFull) document.exitFullscreen().catch(() => {});
  }

  #write() {
    const text = say(this.isFull ? "leaveFull" : "full");
    find("viewer-full").dataset.sayLabel = this.isFull ? "leaveFull" : "full";
    find("viewer-full").setAttribute("aria-label", text);
    find("viewer-full").title = text;
  }
}
