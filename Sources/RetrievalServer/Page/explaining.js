// Shows where the model found the words of the query in the open image: a list of words, and their heat.

import { explain, isAbort } from "./api.js";
import { clearHeat, drawHeat } from "./heat.js";
import { percent, say } from "./strings.js";

const find = (id) => document.getElementById(id);

export class Explaining {
  #picture = find("viewer-picture");
  #canvas = find("viewer-heat");
  #item = null;
  #explanation = null;
  // The map to draw when the visitor points at no word; -1 for the whole sentence.
  #word = -1;
  // The text and the map of the mark in the image; null if there is none.
  #marked = null;
  #showsHeat = true;
  #request = null;

  constructor() {
    find("heat-switch").addEventListener("click", () => this.toggle());
  }

  /** Returns to the whole sentence. */
  reset() {
    this.#word = -1;
  }

  /** Finds the words of a text in an item's image; hides the list if there is no text. */
  show(item, text) {
    this.stop();
    this.#item = item;
    this.#explanation = null;
    this.#marked = null;
    find("viewer-words").hidden = !text;
    if (text) this.#explain(item, text);
    else this.clear();
  }

  /** Shows the heat of the text that the mark is for, until a word is chosen; null returns to the words. */
  mark(marked) {
    if (this.#marked === marked) return;
    this.#marked = marked;
    this.draw();
  }

  stop() {
    this.#request?.abort();
  }

  clear() {
    clearHeat(this.#canvas);
  }

  async #explain(item, text) {
    const request = new AbortController();
    this.#request = request;
    this.#tell(say("explaining"));
    try {
      const explanation = await explain(item.id, text, request.signal);
      if (request.signal.aborted) return;
      this.#explanation = explanation;
      if (this.#word >= explanation.words.length) this.#word = -1;
      this.#tell(null);
      this.#listWords();
      this.draw();
    } catch (error) {
      if (isAbort(error)) return;
      this.clear();
      this.#tell(error.message);
    }
  }

  #tell(text) {
    find("words-state").textContent = text ?? "";
    find("words-state").hidden = !text;
    find("words").setAttribute("aria-busy", String(Boolean(text)));
  }

  /** Shows the words as buttons; the focus stays on its word. */
  #listWords() {
    const list = find("words");
    const focused = [...list.children].findIndex((entry) => entry.contains(document.activeElement));
    const { words } = this.#explanation;
    const entries = [
      this.#wordButton(say("sentence"), null, -1),
      ...words.map((word, index) => this.#wordButton(word.word, word.share, index)),
    ];
    list.replaceChildren(...entries);
    if (focused >= 0) entries[Math.min(focused, entries.length - 1)].firstChild.focus();
  }

  #wordButton(text, share, index) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(index === this.#word));
    const word = document.createElement("span");
    word.dir = "auto";
    word.textContent = text;
    button.append(word);
    if (share !== null) {
      const number = document.createElement("small");
      number.textContent = percent(share);
      const bar = document.createElement("i");
      bar.style.width = `${Math.min(100 * share, 100)}%`;
      button.append(" ", number, bar);
    }
    const pin = () => this.#pin(index);
    button.addEventListener("click", pin);
    button.addEventListener("focus", pin);
    button.addEventListener("pointerenter", () => this.draw(index));
    button.addEventListener("pointerleave", () => this.draw());
    const entry = document.createElement("li");
    entry.append(button);
    return entry;
  }

  #pin(index) {
    this.#word = index;
    this.#marked = null;
    [...find("words").children].forEach((entry, place) => {
      entry.firstChild.setAttribute("aria-pressed", String(place - 1 === index));
    });
    this.draw();
  }

  /** Shows or hides the heat. */
  toggle() {
    this.#showsHeat = !this.#showsHeat;
    find("heat-switch").setAttribute("aria-pressed", String(this.#showsHeat));
    this.draw();
  }

  /** The heat of the mark, of a word, or of the whole sentence; null if none is known. */
  #heatOf(index) {
    if (this.#marked && index === this.#word) return { label: this.#marked.text, map: this.#marked.map, strength: 1 };
    if (!this.#explanation) return null;
    const { words, map } = this.#explanation;
    const word = words[index];
    return word ? { label: word.word, map: word.map, strength: word.strength } : { label: say("sentence"), map, strength: 1 };
  }

  /** Draws the heat of a word over the image. */
  draw(index = this.#word) {
    const ratio = this.#picture.naturalWidth / this.#picture.naturalHeight;
    const heat = this.#heatOf(index);
    this.#canvas.hidden = !this.#showsHeat || !heat;
    if (!heat || !(ratio > 0) || !this.#picture.complete || this.#picture.hidden) return;
    this.#canvas.setAttribute("aria-label", say("heatOf", heat.label, this.#item.name));
    this.#canvas.dataset.word = index;
    drawHeat(this.#canvas, heat.map, heat.strength, ratio);
  }
}
