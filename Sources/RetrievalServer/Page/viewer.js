// One image in a dialog: its facts, and where the words of the query were found in it.

import { explain, isAbort, original, thumbnail } from "./api.js";
import { sizeOf } from "./about.js";
import { clearHeat, drawHeat } from "./heat.js";
import { currentLanguage, percent, say } from "./strings.js";
import { hasProbability, shownMove, spokenMove } from "./tile.js";

const find = (id) => document.getElementById(id);

function fact(name, value, note, spoken) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const detail = document.createElement("dd");
  term.textContent = name;
  detail.dir = "auto";
  detail.textContent = value;
  if (note) {
    const small = document.createElement("small");
    small.textContent = note;
    if (spoken) small.setAttribute("aria-label", spoken);
    detail.append(" ", small);
  }
  group.append(term, detail);
  return group;
}

const written = (value) => {
  if (Array.isArray(value)) return value.map(written).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
};

export class Viewer {
  #dialog = find("viewer");
  #picture = find("viewer-picture");
  #canvas = find("viewer-heat");
  #context = null;
  #explanation = null;
  // Which map is drawn when nothing is pointed at: -1 is the whole sentence.
  #word = -1;
  #showsHeat = true;
  #request = null;
  #isClosing = false;

  /**
   * @param actions leave(): the visitor wants to close the dialog; closed(item, isForced): it is
   *   closed, if forced by the browser; step(item): it shows another; similar(item); shown(item)
   */
  constructor(actions) {
    this.actions = actions;
    find("viewer-previous").addEventListener("click", () => this.#step(-1));
    find("viewer-next").addEventListener("click", () => this.#step(1));
    find("viewer-close").addEventListener("click", () => actions.leave());
    find("viewer-similar").addEventListener("click", () => actions.similar(this.item));
    find("heat-switch").addEventListener("click", () => this.#toggleHeat());
    this.#picture.addEventListener("load", () => this.#fit());
    this.#picture.addEventListener("error", () => this.#useOriginal());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) actions.leave();
    });
    this.#dialog.addEventListener("cancel", (event) => {
      if (event.target !== this.#dialog) return;
      event.preventDefault();
      actions.leave();
    });
    this.#dialog.addEventListener("close", () => {
      this.#request?.abort();
      actions.closed(this.item, !this.#isClosing);
      this.#isClosing = false;
    });
    this.#dialog.addEventListener("keydown", (event) => this.#press(event));
  }

  get isOpen() {
    return this.#dialog.open;
  }

  get item() {
    return this.#context?.items[this.#context.index];
  }

  /**
   * Opens the dialog.
   *
   * @param context items and the index of the one to show; total, how many there are; text, if its words can be looked for;
   *   isResult, isReranked, isCalibrated
   */
  open(context) {
    this.#context = context;
    this.#word = -1;
    this.#show();
    if (!this.#dialog.open) this.#dialog.showModal();
    find("viewer-next").focus();
  }

  /** Shows what an image has become. */
  renew(image) {
    const place = this.#context?.items.findIndex(({ id }) => id === image.id) ?? -1;
    if (place < 0) return;
    Object.assign(this.#context.items[place], image);
    if (this.isOpen && place === this.#context.index) this.#show();
  }

  /** Goes on through these items, of which some came after it was opened. */
  extend(items, total) {
    const { item } = this;
    const index = items.findIndex((other) => other.id === item?.id);
    if (index < 0) return;
    Object.assign(this.#context, { items, index, total });
    this.#showPlace();
  }

  close() {
    if (!this.isOpen) return;
    this.#isClosing = true;
    this.#dialog.close();
  }

  #step(by) {
    const next = this.#context.index + by;
    if (next < 0 || next >= this.#context.items.length) return;
    this.#context.index = next;
    this.#show();
    this.actions.step(this.item);
  }

  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowLeft") this.#step(-1);
    else if (event.key === "ArrowRight") this.#step(1);
    else return;
    event.preventDefault();
  }

  #show() {
    const { text } = this.#context;
    const item = this.item;
    find("viewer-name").textContent = item.name;
    this.#showPlace();
    find("viewer-original").href = original(item.id);
    this.#picture.alt = item.name;
    const source = thumbnail(item.id, 1024);
    if (this.#picture.getAttribute("src") !== source) {
      find("viewer-gone").hidden = true;
      this.#picture.hidden = false;
      this.#picture.src = source;
      clearHeat(this.#canvas);
    }
    find("viewer-facts").replaceChildren(...this.#facts(item));
    find("viewer-words").hidden = !text;
    this.#request?.abort();
    this.#explanation = null;
    if (text) this.#explain(item, text);
    else clearHeat(this.#canvas);
    this.actions.shown?.(item);
  }

  #showPlace() {
    const { items, index, total } = this.#context;
    find("viewer-position").textContent = say("position", index + 1, Math.max(total, items.length));
    find("viewer-previous").setAttribute("aria-disabled", String(index === 0));
    find("viewer-next").setAttribute("aria-disabled", String(index === items.length - 1));
  }

  #facts(item) {
    const { isResult, isReranked, isCalibrated } = this.#context;
    const facts = [];
    if (hasProbability(item)) {
      const note = isCalibrated ? null : say("uncalibrated");
      facts.push(fact(say("probability"), percent(item.match_probability), note));
    }
    if (isReranked) facts.push(fact(say("rank"), item.rank, shownMove(item), spokenMove(item)));
    if (isResult) {
      facts.push(fact(say("recallRank"), item.recall_rank));
      facts.push(fact(say("similarity"), item.similarity.toFixed(3)));
    }
    for (const [name, value] of Object.entries(item.metadata ?? {})) facts.push(fact(name, written(value)));
    if (item.size !== undefined) facts.push(fact(say("size"), sizeOf(item.size)));
    if (item.modified) {
      const date = new Date(item.modified);
      const style = { dateStyle: "medium", timeStyle: "short" };
      if (!Number.isNaN(date.valueOf())) facts.push(fact(say("modified"), date.toLocaleString(currentLanguage(), style)));
    }
    return facts;
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
      this.#draw();
    } catch (error) {
      if (isAbort(error)) return;
      clearHeat(this.#canvas);
      this.#tell(error.message);
    }
  }

  #tell(text) {
    find("words-state").textContent = text ?? "";
    find("words-state").hidden = !text;
    find("words").setAttribute("aria-busy", String(Boolean(text)));
  }

  /** The words as buttons; the focus stays on the word that it was on. */
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
    button.addEventListener("pointerenter", () => this.#draw(index));
    button.addEventListener("pointerleave", () => this.#draw());
    const entry = document.createElement("li");
    entry.append(button);
    return entry;
  }

  #pin(index) {
    this.#word = index;
    [...find("words").children].forEach((entry, place) => {
      entry.firstChild.setAttribute("aria-pressed", String(place - 1 === index));
    });
    this.#draw();
  }

  #toggleHeat() {
    this.#showsHeat = !this.#showsHeat;
    find("heat-switch").setAttribute("aria-pressed", String(this.#showsHeat));
    this.#draw();
  }

  /** Shows or hides the heat, as the key `h` does. */
  toggleHeat() {
    if (this.isOpen && this.#context.text) this.#toggleHeat();
  }

  #draw(index = this.#word) {
    const ratio = this.#picture.naturalWidth / this.#picture.naturalHeight;
    this.#canvas.hidden = !this.#showsHeat || !this.#explanation;
    if (!this.#explanation || !(ratio > 0) || !this.#picture.complete || this.#picture.hidden) return;
    const word = this.#explanation.words[index];
    const label = word?.word ?? say("sentence");
    this.#canvas.setAttribute("aria-label", say("heatOf", label, this.item.name));
    this.#canvas.dataset.word = index;
    drawHeat(this.#canvas, word?.map ?? this.#explanation.map, word?.strength ?? 1, ratio);
  }

  #fit() {
    const { naturalWidth, naturalHeight } = this.#picture;
    const frame = find("viewer-frame");
    frame.style.setProperty("--ratio", naturalWidth / naturalHeight || 1);
    // Small pictures are enlarged, but not to blocks.
    frame.style.setProperty("--most", `${Math.max(5 * naturalWidth, 320)}px`);
    this.#draw();
  }

  /** Where there is no thumbnail the original is tried, and then said to be missing. */
  #useOriginal() {
    const source = original(this.item.id);
    if (this.#picture.getAttribute("src") !== source) {
      this.#picture.src = source;
      return;
    }
    this.#picture.hidden = true;
    find("viewer-gone").hidden = false;
    clearHeat(this.#canvas);
  }
}
