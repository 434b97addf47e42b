// Points at what a text refers to in the open image: a mark at the hottest point, and a box around it.

import { isAbort, locate } from "./api.js";
import { betweenSentences, percent, say } from "./strings.js";

const find = (id) => document.getElementById(id);
const inPercent = (share) => `${Math.round(100 * share)} %`;

export class Pointing {
  #item = null;
  #isCalibrated = false;
  #request = null;

  /** @param actions marked({ text, map }), called with what is marked, or with null if the mark is removed */
  constructor(actions) {
    this.actions = actions;
    find("pointing-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = find("phrase").value.trim();
      if (text && this.#item) this.#point(text);
    });
    find("pointing-clear").addEventListener("click", () => {
      this.#clear();
      find("phrase").focus();
    });
  }

  /** Offers to point if the model reads texts together with images. */
  know({ model }) {
    find("pointing").hidden = model?.matches !== true;
  }

  /**
   * Takes over the open image, and removes the mark of another one.
   *
   * @param context isCalibrated
   */
  show(item, { isCalibrated = false }) {
    this.stop();
    this.#item = item;
    this.#isCalibrated = isCalibrated;
    this.#clear();
  }

  stop() {
    this.#request?.abort();
  }

  #clear() {
    find("mark").hidden = true;
    find("pointing-clear").hidden = true;
    find("pointing-hint").hidden = true;
    this.#tell(null);
    this.actions.marked(null);
  }

  #tell(text, isBad = false) {
    find("pointing-state").textContent = text ?? "";
    find("pointing-state").hidden = !text;
    find("pointing-state").classList.toggle("bad", isBad);
  }

  async #point(text) {
    this.stop();
    const request = new AbortController();
    this.#request = request;
    this.#clear();
    this.#tell(say("locating"));
    try {
      const found = await locate(this.#item.id, text, request.signal);
      if (request.signal.aborted) return;
      if (found.peak) this.#mark(text, found);
      else this.#tell(say("noPlace", text));
    } catch (error) {
      if (!isAbort(error) && !request.signal.aborted) this.#tell(error.message, true);
    }
  }

  #mark(text, { peak, map, match_probability: probability }) {
    const { x, y, box } = peak.shares;
    const place = (part, shares) => {
      for (const [name, share] of Object.entries(shares)) part.style[name] = `${100 * share}%`;
    };
    place(find("mark-peak"), { left: x, top: y });
    place(find("mark-box"), { left: box.x, top: box.y, width: box.width, height: box.height });
    find("mark").hidden = false;
    find("mark").setAttribute("aria-label", say("markOf", text));
    find("pointing-clear").hidden = false;
    find("pointing-hint").hidden = false;
    this.actions.marked({ text, map });
    const isMatch = this.#isCalibrated && typeof probability === "number";
    const parts = [say("pointed", text, inPercent(x), inPercent(y))];
    if (isMatch) parts.push(say("pointedMatch", percent(probability)));
    this.#tell(parts.join(betweenSentences()));
  }
}
