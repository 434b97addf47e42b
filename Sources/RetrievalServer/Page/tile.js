// One tile of the grid: an image, its rank among the results, and its caption.

import { captionOf } from "./about.js";
import { thumbnail } from "./api.js";
import { comma, percent, say } from "./strings.js";

/** The number of ranks by which re-ranking moved a result up; negative for down. */
export const moveOf = (result) => result.recall_rank - result.rank;

/** The spoken text of a result's move, for its tile and the dialog. */
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

// The longest sides of the thumbnails that a tile may show, in pixels.
const sides = [400, 800, 1024];

/**
 * Creates a tile.
 *
 * @param actions open(id, event), similar(id), loaded(id, ratio), called when the image's shape is known
 */
export function makeTile(item, actions) {
  const tile = document.getElementById("tile").content.firstElementChild.cloneNode(true);
  tile.dataset.id = item.id;
  const picture = tile.querySelector("img");
  picture.addEventListener("load", () => {
    tile.classList.add("loaded");
    tile.classList.remove("lost");
    actions.loaded(item.id, picture.naturalWidth / picture.naturalHeight);
  });
  picture.addEventListener("error", () => {
    tile.classList.add("lost");
    nameTile(tile);
  });
  tile.querySelector(".open").addEventListener("click", (event) => actions.open(item.id, event));
  tile.querySelector(".similar").addEventListener("click", () => actions.similar(item.id));
  return tile;
}

/**
 * Puts a tile into its box, and requests as many pixels as it shows there.
 *
 * @param box left, top, width and tall (the image's height) in CSS pixels
 * @param whole the width of the whole image divided by its height; the box may show a part
 */
export function placeTile(tile, item, box, whole) {
  Object.assign(tile.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px` });
  tile.querySelector(".frame").style.height = `${box.tall}px`;
  tile.classList.toggle("narrow", box.width < 130);
  const picture = tile.querySelector("img");
  const across = Math.max(box.width, box.tall * whole);
  picture.sizes = `${Math.ceil(across)}px`;
  if (!picture.srcset) loadTile(tile, item, whole);
}

/** Loads the image, or tries again. */
export function loadTile(tile, item, whole) {
  const picture = tile.querySelector("img");
  const wide = (side) => Math.max(Math.round(whole < 1 ? side * whole : side), 1);
  picture.srcset = sides.map((side) => `${thumbnail(item.id, side)} ${wide(side)}w`).join(", ");
}

/** Discards a tile, and cancels the loading of its image. */
export function dropTile(tile) {
  tile.querySelector("img").removeAttribute("srcset");
  tile.remove();
}

/**
 * Writes the texts of an item.
 *
 * @param order "rank", "recall", "date", or null for images that are browsed
 * @param isReranked whether results have two orders
 * @param isCalibrated whether probabilities are calibrated; others are not shown
 */
export function fillTile(tile, item, { order, isReranked, isCalibrated }) {
  const part = (name) => tile.querySelector(name);
  const isPlaced = order === "rank" || order === "recall";
  const place = order === "recall" ? item.recall_rank : item.rank;
  const match = isCalibrated && hasProbability(item) ? percent(item.match_probability) : null;
  const hasMove = isPlaced && isReranked && hasProbability(item);
  const caption = captionOf(item);
  tile.classList.toggle("result", Boolean(order));
  tile.dataset.name = item.name;
  part(".name").textContent = caption;
  part(".name").title = item.path ?? item.name;
  part(".place").textContent = isPlaced ? place : "";
  part(".value").textContent = match ?? "";
  part(".track").hidden = !match;
  part(".fill").style.width = `${100 * (item.match_probability ?? 0)}%`;
  const move = part(".move");
  move.textContent = hasMove ? shownMove(item) : "";
  move.className = `move ${hasMove && moveOf(item) > 0 ? "up" : hasMove && moveOf(item) < 0 ? "down" : ""}`;
  if (order) Object.assign(tile.dataset, { rank: item.rank, recallRank: item.recall_rank });
  tile.dataset.spoken = [
    ...(isPlaced ? [say("place", place)] : []), caption,
    ...(match ? [say("match", match)] : []), ...(hasMove ? [spokenMove(item)] : []),
  ].join(comma());
  nameTile(tile);
  part(".gone span").textContent = say("noFile");
  part(".similar").setAttribute("aria-label", say("similarTo", caption));
  part(".similar").title = say("similar");
}

/** Writes the tile's label, which reports an image that cannot be shown. */
function nameTile(tile) {
  const gone = tile.matches(".lost") ? [say("noFile")] : [];
  tile.querySelector(".open").setAttribute("aria-label", [tile.dataset.spoken, ...gone].join(comma()));
}
