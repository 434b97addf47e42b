// One image in a dialog, with its heat map and its facts. It can be enlarged.

import { original, thumbnail } from "./api.js";
import { Asking } from "./asking.js";
import { describe } from "./description.js";
import { Explaining } from "./explaining.js";
import { Pointing } from "./pointing.js";
import { Screen } from "./screen.js";
import { say } from "./strings.js";
import { Zoom } from "./zoom.js";

const find = (id) => document.getElementById(id);
const usualSide = 1024;
const largestSide = 2048;

export class Viewer {
  #dialog = find("viewer");
  #picture = find("viewer-picture");
  #context = null;
  #isClosing = false;
  // The address of the original that was requested last.
  #sharpened = null;

  /**
   * @param actions leave(), called when the visitor closes the dialog; closed(item, isForced), called when it is
   *   closed, by the browser if forced; step(item), called when it shows another image; similar(item); shown(item)
   */
  constructor(actions) {
    this.actions = actions;
    this.explaining = new Explaining();
    this.asking = new Asking();
    this.pointing = new Pointing({ marked: (marked) => this.explaining.mark(marked) });
    this.screen = new Screen();
    this.zoom = new Zoom(find("viewer-stage"), find("viewer-frame"), {
      changed: (scale) => this.#zoomed(scale),
      swiped: (step) => this.#step(step),
      closed: () => actions.leave(),
    });
    find("viewer-previous").addEventListener("click", () => this.#step(-1));
    find("viewer-next").addEventListener("click", () => this.#step(1));
    find("viewer-close").addEventListener("click", () => actions.leave());
    find("viewer-similar").addEventListener("click", () => actions.similar(this.item));
    find("zoom-in").addEventListener("click", () => this.zoom.nearer(1));
    find("zoom-out").addEventListener("click", () => this.zoom.nearer(-1));
    find("zoom-all").addEventListener("click", () => this.zoom.reset());
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
      for (const part of [this.explaining, this.asking, this.pointing]) part.stop();
      this.screen.leave();
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
   * @param context items and the index of the one to show; total, the number of items, fetched or not;
   *   text, if the model can explain its words; isResult, isReranked, isCalibrated
   */
  open(context) {
    this.#context = context;
    this.explaining.reset();
    this.#show();
    if (!this.#dialog.open) this.#dialog.showModal();
    find("viewer-next").focus();
  }

  /** Takes over the state of the index, and offers what the models can do. */
  know(index) {
    this.asking.know(index);
    this.pointing.know(index);
  }

  /** Shows the new file of a replaced image. */
  renew(image) {
    const place = this.#context?.items.findIndex(({ id }) => id === image.id) ?? -1;
    if (place < 0) return;
    Object.assign(this.#context.items[place], image);
    if (this.isOpen && place === this.#context.index) this.#show();
  }

  /** Takes over the items after more were fetched. */
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

  /** Shows or hides the heat, as the key `h` does. */
  toggleHeat() {
    if (this.isOpen && this.#context.text) this.explaining.toggle();
  }

  /**
   * Acts on a key for the open image.
   *
   * @returns whether the key is one of these
   */
  act(key) {
    const acts = {
      "+": () => this.zoom.nearer(1), "=": () => this.zoom.nearer(1), "-": () => this.zoom.nearer(-1),
      0: () => this.zoom.reset(), f: () => this.screen.toggle(),
    };
    if (!this.isOpen || !acts[key]) return false;
    acts[key]();
    return true;
  }

  #step(by) {
    const next = this.#context.index + by;
    if (next < 0 || next >= this.#context.items.length) return;
    this.#context.index = next;
    this.#show();
    this.actions.step(this.item);
  }

  /** Moves to another image or, while this one is enlarged, to another part of it. */
  #press(event) {
    // In a field, the arrows move the cursor.
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input")) return;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    if (this.zoom.isNear) this.zoom.look(...way);
    else if (way[0]) this.#step(way[0]);
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
    const source = thumbnail(item.id, usualSide);
    this.#sharpened = null;
    this.#tellPixels(null);
    this.zoom.reset();
    if (this.#picture.getAttribute("src") !== source) {
      find("viewer-gone").hidden = true;
      this.#picture.hidden = false;
      this.#picture.src = source;
      this.explaining.clear();
    }
    find("viewer-facts").replaceChildren(...describe(item, this.#context));
    this.explaining.show(item, text);
    this.asking.show(item);
    this.pointing.show(item, this.#context);
    this.actions.shown?.(item);
  }

  #showPlace() {
    const { items, index, total } = this.#context;
    find("viewer-position").textContent = say("position", index + 1, Math.max(total, items.length));
    find("viewer-previous").setAttribute("aria-disabled", String(index === 0));
    find("viewer-next").setAttribute("aria-disabled", String(index === items.length - 1));
  }

  #fit() {
    const { naturalWidth, naturalHeight } = this.#picture;
    const frame = find("viewer-frame");
    frame.style.setProperty("--ratio", naturalWidth / naturalHeight || 1);
    // Small images are enlarged, but only until their pixels show as blocks.
    frame.style.setProperty("--most", `${Math.max(5 * naturalWidth, 320)}px`);
    this.zoom.most = (2 * (this.item?.about?.width ?? naturalWidth)) / (frame.offsetWidth * devicePixelRatio || 1);
    this.explaining.draw();
  }

  // The original's pixels

  #zoomed(scale) {
    find("viewer-frame").style.setProperty("--near", scale);
    const level = say("zoomed", Math.round(100 * scale));
    find("zoom-all").textContent = level;
    find("zoom-all").setAttribute("aria-label", say("zoomAll", level));
    find("zoom-all").title = say("zoomAll", level);
    find("zoom-out").setAttribute("aria-disabled", String(scale <= 1));
    find("zoom-all").setAttribute("aria-disabled", String(scale <= 1));
    if (scale > 1 && this.isOpen) this.#sharpen(find("viewer-frame").offsetWidth * scale * devicePixelRatio);
  }

  /** Loads the original if the image is shown with more pixels than the thumbnail has. */
  async #sharpen(pixels) {
    const { item } = this;
    const whole = original(item.id);
    const has = this.#picture.naturalWidth;
    if (this.#sharpened === whole || !has || pixels <= has || item.about?.width <= has) return;
    this.#sharpened = whole;
    this.#tellPixels("pixelsComing");
    // The service reads kinds of images that browsers do not.
    const source = await firstReadable([whole, thumbnail(item.id, largestSide)]);
    // Another image may be open by now, or this one may have been replaced.
    if (this.#sharpened !== whole) return;
    if (source) this.#picture.src = source;
    this.#tellPixels(source === whole ? "pixelsAll" : null);
  }

  #tellPixels(key) {
    find("viewer-pixels").textContent = key ? say(key) : "";
    find("viewer-pixels").dataset.state = key ?? "";
  }

  /** Tries the original if there is no thumbnail, and then reports that the file is missing. */
  #useOriginal() {
    const source = original(this.item.id);
    if (this.#picture.getAttribute("src") !== source) {
      this.#picture.src = source;
      return;
    }
    this.#picture.hidden = true;
    find("viewer-gone").hidden = false;
    this.explaining.clear();
  }
}

/** The first of these addresses whose image the browser can show; null if there is none. */
async function firstReadable(sources) {
  for (const source of sources) {
    const image = new Image();
    image.src = source;
    try {
      await image.decode();
      return source;
    } catch {
      // The next address may work.
    }
  }
  return null;
}
