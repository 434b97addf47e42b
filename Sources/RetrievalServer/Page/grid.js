// Images in a grid, browsed or as results: only the tiles near what is in sight are in the document.

import { glide, placesOf } from "./glide.js";
import { boxesOf, layOut, ratioOf, rowAt, rowOf } from "./layout.js";
import { spaceOf } from "./measure.js";
import { dropTile, fillTile, hasProbability, loadTile, makeTile, placeTile } from "./tile.js";

const ghosts = [1.5, 1.33, 0.75, 1.33, 1, 1.5, 0.67, 1.33, 1.78, 1, 0.75, 1.5];
// Shapes that are learned from images come one after another: what comes within this time is laid out at once.
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

  /**
   * @param actions open(id, event), similar(item), more() which is asked for at the end of the grid,
   *   and, if something is added to tiles, dress(tile, item) after a tile was filled
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
   * Shows items, tiles that are there already gliding to their new places.
   *
   * @param style order: "rank", "recall", "date", or null for images that are browsed; isReranked;
   *   isCalibrated; breakAt: the place before which a line says `breakText`; total: how many items
   *   there are altogether; glides
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
    this.#ratios = [];
    this.#current = wanted.has(this.#current) ? this.#current : (items[0]?.id ?? null);
    this.#measure();
    this.#arrange();
    this.refresh();
    // Tiles that are moved lose the focus, and those that are gone cannot keep it.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    else if (focused && !focused.isConnected && items.length) this.focus(items[0].id);
    if (before) glide(this.#tiles, before);
  }

  /** Shows where results will be. */
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

  /** Whether images are squares; otherwise they have their own shapes. */
  set isSquare(isSquare) {
    this.#isSquare = isSquare;
    this.#anchored(() => this.#measure());
  }

  /** Writes all tiles anew, as when the language has changed or something else is to be seen on them. */
  refresh() {
    for (const [id, tile] of this.#tiles) this.#fill(tile, this.#items[this.placeOf(id)]);
  }

  /** The place of an item among all; -1 if it is not shown. */
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

  /** What is at the top of what is in sight: an item's id, and how far below the window's edge it begins. */
  anchor() {
    const { rows } = this.#layout;
    const start = this.#start();
    if (rows.length === 0 || start > this.#header()) return null;
    const row = rows[rowAt(rows, this.#header() - start)];
    return { id: this.#items[row.first]?.id, y: row.top + start };
  }

  /** Scrolls so that an item is where `anchor` has found it; whether the item is here. */
  restore({ id, y }) {
    const place = this.placeOf(id);
    if (place < 0) return false;
    scrollBy({ top: this.#start() + this.#layout.rows[rowOf(this.#layout.rows, place)].top - y, behavior: "instant" });
    this.#render();
    return true;
  }

  /** Tries again to load the images that could not be loaded. */
  retry() {
    for (const [id, tile] of this.#tiles) {
      if (!tile.matches(".lost")) continue;
      const item = this.#items[this.placeOf(id)];
      loadTile(tile, item, ratioOf(item, this.#learned).whole);
    }
  }

  // Where everything lies

  #measure() {
    this.#space = spaceOf(this.list, this.#style, this.#isSquare, this.#items.some(hasProbability));
  }

  #arrange() {
    if (this.#items.length) this.#ratios = this.#items.map((item) => ratioOf(item, this.#learned).ratio);
    this.#layout = layOut(this.#ratios, this.#space);
    this.list.style.height = `${this.#layout.height}px`;
    this.list.dataset.count = this.#items.length;
    // A list without items is an error to screen readers.
    if (this.#items.length) this.list.removeAttribute("aria-hidden");
    else this.list.setAttribute("aria-hidden", "true");
    const line = this.list.querySelector(".break");
    if (line) line.style.top = `${this.#layout.breakTop}px`;
    this.#render();
  }

  /** Lays everything out anew, while what is in sight stays where it is. */
  #anchored(change) {
    const anchor = this.anchor();
    change();
    this.#arrange();
    if (anchor) this.restore(anchor);
  }

  #resize() {
    const { width } = getComputedStyle(this.list);
    if (this.#items.length && Math.abs(parseFloat(width) - this.#space.width) > 0.5) this.#anchored(() => this.#measure());
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

  // What is in the document

  #start() {
    return this.list.getBoundingClientRect().top;
  }

  /** How much of the window's top the header covers. */
  #header() {
    return document.querySelector("header.top").offsetHeight;
  }

  /** How much of the window's bottom the bar of what is selected covers. */
  #footer() {
    return document.querySelector("#selection:not([hidden])")?.offsetHeight ?? 0;
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const [first, last] = this.#near();
      if (first !== this.#rendered[0] || last !== this.#rendered[1]) this.#render();
    });
  }

  /** The first and the last row of those in sight and of a window's height around them. */
  #near() {
    const { rows } = this.#layout;
    const above = -this.#start();
    return [rowAt(rows, above - innerHeight), rowAt(rows, above + 2 * innerHeight)];
  }

  /** Puts the tiles of the rows in sight, and of those around them, into the document. */
  #render() {
    const { rows } = this.#layout;
    const wanted = new Map();
    this.#rendered = this.#near();
    if (this.#items.length && rows.length) {
      const [first, last] = this.#rendered;
      for (let place = first; place <= last; place += 1) this.#want(rows[place], wanted);
      // What has the focus keeps it, wherever it is.
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

  /** Notes where a row's tiles are, or one of them. */
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

  /** One tile at a time is reached by Tab; arrows lead to the others. */
  #choose(id) {
    this.#current = id;
    this.#allow();
  }

  /** Tab reaches the chosen tile or, where that is far out of sight, the first one in sight. */
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

  /** Moves the focus as an arrow, Home or End does; whether the key is one of these. */
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

  /** The tile above or below a tile; the same where there is no row, or one more than there are at the end. */
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

  /** Scrolls no further than a tile's row needs to be in sight. */
  #reveal(place) {
    const row = this.#layout.rows[rowOf(this.#layout.rows, place)];
    const room = 12;
    const top = this.#start() + row.top - this.#header() - room;
    const bottom = this.#start() + row.top + row.tall + this.#space.caption + room - innerHeight + this.#footer();
    const by = top < 0 ? top : bottom > 0 ? Math.min(bottom, top) : 0;
    if (by) scrollBy({ top: by, behavior: "instant" });
  }
}
