// The grid of images or results. Only tiles in sight and near it are in the document.

import { glide, placesOf } from "./glide.js";
import { boxesOf, layOut, ratioOf, rowAt, rowOf } from "./layout.js";
import { spaceOf } from "./measure.js";
import { dropTile, fillTile, hasProbability, loadTile, makeTile, placeTile } from "./tile.js";

const ghosts = [1.5, 1.33, 0.75, 1.33, 1, 1.5, 0.67, 1.33, 1.78, 1, 0.75, 1.5];
// Images report their shapes one after another as they load. The grid is laid out once for all that do so within
// this time, in milliseconds.
const learningPause = 120;

export class Grid {
  #tiles = new Map();
  #items = [];
  #ratios = [];
  #layout = layOut([], { gap: { x: 0, y: 0 } });
  #space = { caption: 0 };
  #current = null;
  #learned = new Map();
  #unsettled = false;
  #style = {};
  #isSquare = false;
  #frame = 0;
  #rendered = [-1, -1];
  #total = -1;
  /** The anchor before the window's size changes; by the resize event, the page may have moved already. */
  #kept = null;

  /**
   * @param actions open(id, event); similar(item); more(), at the end of the grid; and optionally
   *   dress(tile, item), which adds to a tile that was filled
   */
  constructor(list, actions) {
    this.list = list;
    this.actions = actions;
    list.addEventListener("keydown", (event) => this.#steer(event));
    list.addEventListener("focusin", (event) => {
      const id = event.target.closest(".tile")?.dataset.id;
      if (id) this.#choose(id);
    });
    addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#resize()).observe(list);
    addEventListener("resize", () => this.#resize());
  }

  /** The items that are shown, in their order. */
  get items() {
    return this.#items;
  }

  /** The item whose tile is or was in focus. */
  get current() {
    return this.#items.find((item) => item.id === this.#current);
  }

  /**
   * Shows items. Tiles that are in the document already may glide to their new places.
   *
   * @param style order: "rank", "recall", "date", or null for images that are browsed; isReranked;
   *   isCalibrated; breakAt: the place before which a line with `breakText` stands; total: the number
   *   of items, fetched or not; glides
   */
  show(items, style = {}) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const before = style.glides ? placesOf(this.#tiles) : null;
    this.#style = { order: null, isReranked: false, isCalibrated: true, breakAt: -1, ...style };
    this.#total = style.total ?? items.length;
    this.list.querySelectorAll(".skeleton").forEach((tile) => tile.remove());
    const wanted = new Set(items.map((item) => item.id));
    for (const [id, tile] of this.#tiles) if (!wanted.has(id)) this.#drop(id, tile);
    this.#items = items;
    this.#kept = null;
    this.#ratios = [];
    this.#current = wanted.has(this.#current) ? this.#current : (items[0]?.id ?? null);
    this.#measure();
    this.#arrange();
    this.refresh();
    // A tile that is moved loses the focus; for a tile that was removed, the first one takes it.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    else if (focused && !focused.isConnected && items.length) this.focus(items[0].id);
    if (before) glide(this.#tiles, before);
  }

  /** Shows empty tiles in the places of results that are on their way. */
  skeleton(count) {
    this.show([]);
    this.#ratios = Array.from({ length: count }, (_, place) => ghosts[place % ghosts.length]);
    this.#arrange();
    for (const row of this.#layout.rows) {
      boxesOf(row, this.#ratios, this.#space).forEach(({ left, width }) => {
        const tile = document.createElement("li");
        tile.className = "tile skeleton";
        tile.setAttribute("aria-hidden", "true");
        const shape = document.createElement("span");
        Object.assign(tile.style, { left: `${left}px`, top: `${row.top}px`, width: `${width}px` });
        shape.style.height = `${row.tall}px`;
        tile.append(shape);
        this.list.append(tile);
      });
    }
  }

  /** Whether images are shown as squares or in their own shapes. */
  set isSquare(isSquare) {
    this.#isSquare = isSquare;
    this.#anchored(() => this.#measure());
  }

  /** Writes the texts of all tiles again, for example in another language. */
  refresh() {
    for (const [id, tile] of this.#tiles) this.#fill(tile, this.#items[this.placeOf(id)]);
  }

  /** The place of an item among those shown; -1 if it is not among them. */
  placeOf(id) {
    const tile = this.#tiles.get(id);
    if (tile && this.#items[tile.place]?.id === id) return tile.place;
    return this.#items.findIndex((item) => item.id === id);
  }

  /** Puts the focus on an item's tile. */
  focus(id) {
    const place = this.placeOf(id);
    if (place < 0) return;
    this.#reveal(place);
    this.#render();
    this.#tiles.get(id)?.querySelector(".open").focus({ preventScroll: true });
  }

  /** The first item in sight: its id, and how far below the window's upper edge its row begins. */
  anchor() {
    const { rows } = this.#layout;
    const start = this.#start();
    if (rows.length === 0 || start > this.#header()) return null;
    const row = rows[rowAt(rows, this.#header() - start)];
    return { id: this.#items[row.first]?.id, y: row.top + start };
  }

  /**
   * Scrolls so that an item is where `anchor` found it.
   *
   * @returns whether the item is in the grid
   */
  restore({ id, y }) {
    const place = this.placeOf(id);
    if (place < 0) return false;
    scrollBy({ top: this.#start() + this.#layout.rows[rowOf(this.#layout.rows, place)].top - y, behavior: "instant" });
    this.#render();
    this.#kept = { id, y };
    return true;
  }

  /** Loads the images again that could not be loaded. */
  retry() {
    for (const [id, tile] of this.#tiles) {
      if (!tile.matches(".lost")) continue;
      const item = this.#items[this.placeOf(id)];
      loadTile(tile, item, ratioOf(item, this.#learned).whole);
    }
  }

  // Layout

  #measure() {
    this.#space = spaceOf(this.list, this.#style, this.#isSquare, this.#items.some(hasProbability));
  }

  #arrange() {
    if (this.#items.length) this.#ratios = this.#items.map((item) => ratioOf(item, this.#learned).ratio);
    this.#layout = layOut(this.#ratios, this.#space);
    this.list.style.height = `${this.#layout.height}px`;
    this.list.dataset.count = this.#items.length;
    // A list has to have items; screen readers skip an empty one.
    if (this.#items.length) this.list.removeAttribute("aria-hidden");
    else this.list.setAttribute("aria-hidden", "true");
    const line = this.list.querySelector(".break");
    if (line) line.style.top = `${this.#layout.breakTop}px`;
    this.#render();
  }

  /** Changes the layout; the first item in sight stays where it is. */
  #anchored(change, anchor = this.anchor()) {
    change();
    this.#arrange();
    if (anchor) this.restore(anchor);
  }

  #resize() {
    const { width } = getComputedStyle(this.list);
    if (this.#items.length && Math.abs(parseFloat(width) - this.#space.width) > 0.5) this.#anchored(() => this.#measure(), this.#kept ?? undefined);
    else this.#soon();
  }

  #learn(id, ratio) {
    const item = this.#items[this.placeOf(id)];
    if (!item || !(ratio > 0) || ratioOf(item, this.#learned).isKnown) return;
    this.#learned.set(id, ratio);
    if (this.#unsettled) return;
    this.#unsettled = true;
    setTimeout(() => {
      this.#unsettled = false;
      if (!this.#isSquare) this.#anchored(() => {});
    }, learningPause);
  }

  // Tiles in the document

  #start() {
    return this.list.getBoundingClientRect().top;
  }

  /** The height of the header, which covers the top of the window. */
  #header() {
    return document.querySelector("header.top").offsetHeight;
  }

  /** The height of the selection bar, which covers the bottom of the window. */
  #footer() {
    return document.querySelector("#selection:not([hidden])")?.offsetHeight ?? 0;
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#kept = this.anchor();
      const [first, last] = this.#near();
      if (first !== this.#rendered[0] || last !== this.#rendered[1]) this.#render();
    });
  }

  /** The first and the last row in sight or within a window's height of it. */
  #near() {
    const { rows } = this.#layout;
    const above = -this.#start();
    return [rowAt(rows, above - innerHeight), rowAt(rows, above + 2 * innerHeight)];
  }

  /** Puts the tiles of these rows into the document, and removes all others. */
  #render() {
    const { rows } = this.#layout;
    const wanted = new Map();
    this.#rendered = this.#near();
    if (this.#items.length && rows.length) {
      const [first, last] = this.#rendered;
      for (let place = first; place <= last; place += 1) this.#want(rows[place], wanted);
      // The tile with the focus stays in the document.
      const held = document.activeElement?.closest?.("#grid .tile")?.dataset.id;
      const place = held ? this.placeOf(held) : -1;
      if (place >= 0 && !wanted.has(place)) this.#want(rows[rowOf(rows, place)], wanted, place);
    }
    for (const [id, tile] of this.#tiles) {
      if (this.#items[tile.place]?.id !== id) tile.place = this.placeOf(id);
      if (!wanted.has(tile.place)) this.#drop(id, tile);
    }
    let next = this.list.firstElementChild;
    const put = (node) => {
      if (next === node) next = node.nextElementSibling;
      else this.list.insertBefore(node, next);
    };
    let line = this.list.querySelector(".break");
    for (const [place, box] of [...wanted].sort(([a], [b]) => a - b)) {
      if (line && place >= this.#space.breakAt) {
        put(line);
        line = null;
      }
      const tile = this.#tile(place);
      placeTile(tile, this.#items[place], box, ratioOf(this.#items[place], this.#learned).whole);
      put(tile);
    }
    this.#allow();
  }

  /** Adds the boxes of a row's tiles to those wanted, or of one of its tiles. */
  #want(row, wanted, only = -1) {
    boxesOf(row, this.#ratios, this.#space).forEach((box, step) => {
      const place = row.first + step;
      if (only < 0 || place === only) wanted.set(place, { ...box, top: row.top, tall: row.tall });
    });
  }

  #tile(place) {
    const item = this.#items[place];
    let tile = this.#tiles.get(item.id);
    if (!tile) {
      tile = makeTile(item, {
        open: (id, event) => this.actions.open(id, event),
        similar: (id) => this.actions.similar(this.#items[this.placeOf(id)]),
        loaded: (id, ratio) => this.#learn(id, ratio),
      });
      this.#tiles.set(item.id, tile);
      tile.place = place;
      this.#fill(tile, item);
    }
    tile.place = place;
    tile.setAttribute("aria-posinset", place + 1);
    tile.setAttribute("aria-setsize", this.#total);
    return tile;
  }

  #fill(tile, item) {
    fillTile(tile, item, this.#style);
    this.actions.dress?.(tile, item);
  }

  #drop(id, tile) {
    dropTile(tile);
    this.#tiles.delete(id);
  }

  // Keys

  /** Tab reaches one tile; the arrows lead to the others. */
  #choose(id) {
    this.#current = id;
    this.#allow();
  }

  /** Lets Tab reach the chosen tile or, if it is not in the document, the first one in sight. */
  #allow() {
    const chosen = this.#tiles.has(this.#current) ? this.#current : this.anchor()?.id ?? this.#items[0]?.id;
    for (const [id, tile] of this.#tiles) {
      for (const button of tile.querySelectorAll("button")) button.tabIndex = id === chosen ? 0 : -1;
    }
  }

  #steer(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (this.move(event.key)) event.preventDefault();
  }

  /**
   * Moves the focus by an arrow, Home or End.
   *
   * @returns whether the key is one of these
   */
  move(key) {
    const place = this.placeOf(this.#current);
    if (place < 0) return false;
    const last = this.#items.length - 1;
    const steps = {
      ArrowLeft: () => place - 1, ArrowRight: () => place + 1,
      ArrowUp: () => this.#beside(place, -1), ArrowDown: () => this.#beside(place, 1),
      Home: () => 0, End: () => last,
    };
    const step = steps[key];
    if (!step) return false;
    let next = step();
    if (next > last) {
      this.actions.more();
      next = place;
    }
    this.focus(this.#items[Math.max(next, 0)].id);
    return true;
  }

  /** The place above or below a tile: the tile's own above the first row, one past the end below the last row. */
  #beside(place, by) {
    const { rows } = this.#layout;
    const row = rowOf(rows, place);
    const other = rows[row + by];
    if (!other) return by > 0 ? this.#items.length : place;
    const own = boxesOf(rows[row], this.#ratios, this.#space)[place - rows[row].first];
    const middle = own.left + own.width / 2;
    const far = ({ left, width }) => Math.abs(left + width / 2 - middle);
    const boxes = boxesOf(other, this.#ratios, this.#space);
    return other.first + boxes.indexOf(boxes.reduce((near, box) => (far(box) < far(near) ? box : near)));
  }

  /** Scrolls just as far as a tile's row needs to be in sight. */
  #reveal(place) {
    const row = this.#layout.rows[rowOf(this.#layout.rows, place)];
    const room = 12;
    const top = this.#start() + row.top - this.#header() - room;
    const bottom = this.#start() + row.top + row.tall + this.#space.caption + room - innerHeight + this.#footer();
    const by = top < 0 ? top : bottom > 0 ? Math.min(bottom, top) : 0;
    if (by) scrollBy({ top: by, behavior: "instant" });
  }
}
