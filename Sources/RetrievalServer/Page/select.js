// Which images are selected: by check marks, clicks with Ctrl or Shift, `x`, and Shift with arrows.

import { say } from "./strings.js";

const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

export class Selection {
  #grid;
  #chosen = new Map();
  #items = [];
  #search = null;
  /** Whether selecting has begun, even if nothing is selected yet. */
  #isOn = false;
  /** The beginning of a range, its last end, and the other selected items. */
  #range = { from: null, to: null, beside: new Map() };

  /** @param changed called when the selection changes, or selecting begins or ends */
  constructor(grid, changed) {
    this.#grid = grid;
    this.changed = changed;
    const { list } = grid;
    list.addEventListener("click", (event) => this.#click(event), true);
    // A click with Shift should not mark text.
    list.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    list.addEventListener("contextmenu", (event) => this.#hold(event));
    list.addEventListener("keydown", (event) => this.#press(event), true);
    addEventListener("keydown", (event) => this.#leave(event));
  }

  get count() {
    return this.#chosen.size;
  }

  /** Whether a tap selects rather than opens. */
  get isOn() {
    return this.#isOn || this.count > 0;
  }

  /** The selected items in the order of the grid; those that the grid no longer shows come last. */
  get items() {
    const shown = this.#items.filter(({ id }) => this.#chosen.has(id));
    const ids = new Set(shown.map(({ id }) => id));
    return [...shown, ...[...this.#chosen.values()].filter(({ id }) => !ids.has(id))];
  }

  has(id) {
    return this.#chosen.has(id);
  }

  /** Whether all shown items are selected. */
  get isWhole() {
    return this.#items.length > 0 && this.#items.every(({ id }) => this.#chosen.has(id));
  }

  /**
   * Takes over the items that the grid shows.
   *
   * @param search the query as a text; another query starts with an empty selection
   */
  show(items, search) {
    if (search !== this.#search) this.clear();
    this.#search = search;
    this.#items = items;
    for (const item of items) if (this.#chosen.has(item.id)) this.#chosen.set(item.id, item);
    this.#tell();
  }

  /** Begins selecting, so that a tap selects. */
  begin() {
    this.#isOn = true;
    this.#tell();
  }

  /** Clears the selection. */
  clear() {
    if (!this.isOn) return;
    this.#isOn = false;
    this.#chosen.clear();
    this.#range = { from: null, to: null, beside: new Map() };
    this.#tell();
  }

  /** Selects all shown items. */
  all() {
    for (const item of this.#items) this.#chosen.set(item.id, item);
    this.#tell();
  }

  /** Removes deleted images from the selection. */
  drop(ids) {
    for (const id of ids) this.#chosen.delete(id);
    this.#isOn = false;
    this.#tell();
  }

  /** Selects or deselects an image. */
  toggle(id) {
    const item = this.#items.find((other) => other.id === id);
    if (!item) return;
    if (!this.#chosen.delete(id)) this.#chosen.set(id, item);
    this.#range = { from: id, to: id, beside: new Map(this.#chosen) };
    // Removing the last mark ends selecting.
    if (this.count === 0) this.#isOn = false;
    this.#tell();
  }

  /** Selects the range up to an image. */
  #extend(id) {
    const place = (wanted) => this.#items.findIndex((item) => item.id === wanted);
    const start = place(this.#range.from);
    const end = place(id);
    if (end < 0) return;
    if (start < 0) return this.toggle(id);
    this.#chosen = new Map(this.#range.beside);
    for (const item of this.#items.slice(Math.min(start, end), Math.max(start, end) + 1)) {
      this.#chosen.set(item.id, item);
    }
    this.#range.to = id;
    this.#tell();
  }

  /** Labels a tile's check mark, and shows whether the tile is selected. */
  dress(tile, item) {
    const pick = tile.querySelector(".pick");
    pick.setAttribute("aria-label", say("select", item.name));
    pick.title = say("selectHint");
    this.#mark(tile);
  }

  #mark(tile) {
    const isChosen = this.#chosen.has(tile.dataset.id);
    tile.classList.toggle("picked", isChosen);
    tile.querySelector(".pick").setAttribute("aria-checked", String(isChosen));
  }

  #tell() {
    this.#grid.list.classList.toggle("selecting", this.isOn);
    for (const tile of this.#grid.list.querySelectorAll(".tile[data-id]")) this.#mark(tile);
    this.changed();
  }

  #click(event) {
    const { id } = event.target.closest(".tile")?.dataset ?? {};
    if (!id || !event.target.closest(".open, .pick")) return;
    // Enter opens the image even while a tap selects it.
    const isTap = this.isOn && event.detail > 0;
    if (event.shiftKey && this.#range.from) this.#extend(id);
    else if (event.target.closest(".pick") || event.ctrlKey || event.metaKey || event.shiftKey || isTap) this.toggle(id);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.detail > 0) this.#grid.focus(id);
  }

  /** Begins selecting at a long touch; taps then select too. */
  #hold(event) {
    const { id } = event.target.closest(".tile")?.dataset ?? {};
    if (!id || event.pointerType !== "touch") return;
    event.preventDefault();
    this.toggle(id);
  }

  #press(event) {
    const { id } = event.target.closest(".tile")?.dataset ?? {};
    if (!id || event.altKey) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      event.preventDefault();
      this.all();
    } else if (event.shiftKey && !event.ctrlKey && !event.metaKey && arrows.includes(event.key)) {
      event.preventDefault();
      event.stopPropagation();
      if (this.#range.to !== id || !this.#range.from) {
        this.#range = { from: id, to: id, beside: new Map(this.#chosen) };
      }
      this.#grid.move(event.key);
      const current = this.#grid.current;
      if (current) this.#extend(current.id);
    }
  }

  #leave(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.isOn) return;
    if (document.querySelector("dialog:modal, [popover]:popover-open")) return;
    if (event.target.closest?.("input, textarea, select")) return;
    event.preventDefault();
    this.clear();
  }
}
