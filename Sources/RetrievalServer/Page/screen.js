// Shows the open image on the full screen, if the browser supports it.

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

  /** Enters or leaves the full screen. */
  toggle() {
    if (this.isFull) this.leave();
    // The browser may refuse; the image then keeps its size.
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
