// Images in a grid: browsed, or as results in one of two orders.

import { thumbnail } from "./api.js";
import { comma, percent, say } from "./strings.js";

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const gliding = { duration: 460, easing: "cubic-bezier(.2, .8, .2, 1)" };

/** How far re-ranking moved a result: up is positive. */
export const moveOf = (result) => result.recall_rank - result.rank;

/** What a result's tile and the dialog call its move aloud. */
export function spokenMove(result) {
  const move = moveOf(result);
  if (move === 0) return say("unmoved");
  return move > 0 ? say("up", move) : say("down", -move);
}

export function shownMove(result) {
  const move = moveOf(result);
  if (move === 0) return "=";
  return move > 0 ? `▲${move}` : `▼${-move}`;
}

export const hasProbability = (item) => typeof item.match_probability === "number";

export class Grid {
  #tiles = new Map();
  #items = [];
  #current = null;

  /**
   * @param actions open(id), similar(item), more() which is asked for at the end of the grid,
   *   dress(tile, item) which adds to what a tile shows
   */
  constructor(list, actions) {
    this.list = list;
    this.actions = actions;
    list.addEventListener("keydown", (event) => this.#steer(event));
    list.addEventListener("focusin", (event) => {
      const id = event.target.closest(".tile")?.dataset.id;
      if (id) this.#choose(id);
    });
  }

  /** The item whose tile is or was in focus. */
  get current() {
    return this.#items.find((item) => item.id === this.#current);
  }

  /**
   * Shows items, tiles that are there already gliding to their new places.
   *
   * @param order "rank", "recall", or null for images that are browsed
   */
  show(items, { order = null, isReranked = false, glides = false } = {}) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const before = glides && !stillness.matches ? this.#places() : null;
    this.list.querySelectorAll(".skeleton").forEach((tile) => tile.remove());
    const wanted = new Set(items.map((item) => item.id));
    for (const [id, tile] of this.#tiles) {
      if (wanted.has(id)) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
    items.forEach((item, index) => {
      const tile = this.#tiles.get(item.id) ?? this.#make(item);
      this.#fill(tile, item, order, isReranked);
      if (this.list.children[index] !== tile) this.list.insertBefore(tile, this.list.children[index] ?? null);
    });
    this.#items = items;
    this.#choose(wanted.has(this.#current) ? this.#current : items[0]?.id ?? null);
    // Tiles that are moved lose the focus, and those that are gone cannot keep it.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    else if (focused && !focused.isConnected && items.length) this.focus(items[0].id);
    if (before) this.#glide(before);
  }

  /** Shows where results will be. */
  skeleton(count) {
    this.show([]);
    for (let index = 0; index < count; index += 1) {
      const tile = document.createElement("li");
      tile.className = "tile skeleton";
      tile.setAttribute("aria-hidden", "true");
      tile.append(document.createElement("span"));
      this.list.append(tile);
    }
  }

  /** Puts the focus on an item's tile. */
  focus(id) {
    const button = this.#tiles.get(id)?.querySelector(".open");
    button?.focus();
    button?.scrollIntoView({ block: "nearest" });
  }

  #make(item) {
    const tile = document.getElementById("tile").content.firstElementChild.cloneNode(true);
    tile.dataset.id = item.id;
    const picture = tile.querySelector("img");
    picture.addEventListener("load", () => {
      tile.classList.add("loaded");
      tile.classList.remove("lost");
    });
    picture.addEventListener("error", () => {
      tile.classList.add("lost");
      this.#name(tile);
    });
    picture.sizes = "(max-width: 40rem) 50vw, 16rem";
    this.#load(tile, item);
    tile.querySelector(".open").addEventListener("click", () => this.actions.open(item.id));
    tile.querySelector(".similar").addEventListener("click", () => {
      this.actions.similar(this.#items.find((other) => other.id === item.id));
    });
    this.#tiles.set(item.id, tile);
    return tile;
  }

  #load(tile, item) {
    const picture = tile.querySelector("img");
    picture.srcset = `${thumbnail(item.id, 400)} 300w, ${thumbnail(item.id, 800)} 600w`;
    picture.src = thumbnail(item.id, 400);
  }

  /** Tries again to load the images that could not be loaded. */
  retry() {
    for (const item of this.#items) {
      const tile = this.#tiles.get(item.id);
      if (tile.matches(".lost")) this.#load(tile, item);
    }
  }

  #fill(tile, item, order, isReranked) {
    const part = (name) => tile.querySelector(name);
    const place = order === "recall" ? item.recall_rank : item.rank;
    const match = hasProbability(item) ? percent(item.match_probability) : null;
    const similarity = order ? item.similarity?.toFixed(2) : null;
    tile.classList.toggle("result", Boolean(order));
    part(".name").textContent = item.name;
    part(".name").title = item.name;
    part(".place").textContent = order ? place : "";
    part(".value").textContent = match ?? similarity ?? "";
    part(".value").classList.toggle("weak", !match);
    part(".track").hidden = !match;
    part(".fill").style.width = `${100 * (item.match_probability ?? 0)}%`;
    const move = part(".move");
    move.textContent = order && isReranked ? shownMove(item) : "";
    move.className = `move ${order && moveOf(item) > 0 ? "up" : order && moveOf(item) < 0 ? "down" : ""}`;
    if (order) Object.assign(tile.dataset, { rank: item.rank, recallRank: item.recall_rank });
    const spoken = order
      ? [
          say("place", place), item.name,
          match ? say("match", match) : say("similarityShort", similarity),
          ...(isReranked ? [spokenMove(item)] : []),
        ]
      : [item.name];
    tile.dataset.spoken = spoken.join(comma());
    this.#name(tile);
    part(".gone span").textContent = say("noFile");
    part(".similar").setAttribute("aria-label", say("similarTo", item.name));
    part(".similar").title = say("similar");
    this.actions.dress(tile, item);
  }

  /** What the tile is called: what it shows, and whether its image cannot be shown. */
  #name(tile) {
    const gone = tile.matches(".lost") ? [say("noFile")] : [];
    tile.querySelector(".open").setAttribute("aria-label", [tile.dataset.spoken, ...gone].join(comma()));
  }

  /** One tile at a time is reached by Tab; arrows lead to the others. */
  #choose(id) {
    this.#current = id;
    for (const [other, tile] of this.#tiles) {
      for (const button of tile.children) button.tabIndex = other === id ? 0 : -1;
    }
  }

  #steer(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (this.move(event.key)) event.preventDefault();
  }

  /** Moves the focus as an arrow, Home or End does; whether the key is one of these. */
  move(key) {
    const index = this.#items.findIndex((item) => item.id === this.#current);
    if (index < 0) return false;
    const last = this.#items.length - 1;
    const columns = this.#columns();
    const steps = {
      ArrowLeft: index - 1, ArrowRight: index + 1,
      ArrowUp: index - columns, ArrowDown: index + columns,
      Home: 0, End: last,
    };
    let next = steps[key];
    if (next === undefined) return false;
    if (next < 0) next = key === "ArrowUp" ? index : 0;
    if (next > last) {
      this.actions.more();
      if (next >= this.#items.length) next = key === "ArrowDown" && index <= last - columns ? last : index;
    }
    this.focus(this.#items[next].id);
    return true;
  }

  #columns() {
    const tiles = [...this.list.children];
    const beyond = tiles.findIndex((tile) => tile.offsetTop > tiles[0].offsetTop);
    return beyond < 0 ? Math.max(tiles.length, 1) : beyond;
  }

  #places() {
    return new Map([...this.#tiles].map(([id, tile]) => [id, tile.getBoundingClientRect()]));
  }

  #glide(before) {
    const after = this.#places();
    for (const [id, tile] of this.#tiles) {
      tile.getAnimations().forEach((animation) => animation.cancel());
      const from = before.get(id);
      const to = after.get(id);
      if (!from) {
        tile.animate([{ opacity: 0 }, { opacity: 1 }], gliding);
      } else if (from.x !== to.x || from.y !== to.y) {
        const start = `translate(${from.x - to.x}px, ${from.y - to.y}px)`;
        tile.animate([{ transform: start }, { transform: "none" }], gliding);
      }
    }
  }
}
