// Opens the image in the address, and returns from it.

import { isViewEntry, readView, writeAddress, writeView } from "./address.js";
import { getImage, isAbort } from "./api.js";
import { complain } from "./notices.js";
import { say } from "./strings.js";
import { Viewer } from "./viewer.js";

// The number of images before the last one at which to fetch more.
const ahead = 8;

export class Opening {
  #isLeaving = false;

  /**
   * @param page query(), the query; items(), the shown items, or null before the answer; context(), the
   *   facts of the answer for the viewer; signal(), of the present request; stay(), which remembers the
   *   scroll position; similar(item); more(), which fetches further images; focus(id), which returns to a
   *   tile; shown(item), called when an image is open
   */
  constructor(page) {
    this.page = page;
    this.viewer = new Viewer({
      leave: () => this.leave(),
      closed: (item, isForced) => this.#closed(item, isForced),
      similar: page.similar,
      step: (item) => this.#stepped(item),
      shown: page.shown,
    });
  }

  get isOpen() {
    return this.viewer.isOpen;
  }

  /** Opens an image in its own history entry. */
  open(id) {
    this.page.stay();
    writeView(this.page.query(), id);
    this.follow();
  }

  /** Opens or closes the dialog to match the address. */
  async follow() {
    const id = readView();
    if (!id) this.viewer.close();
    const items = this.page.items();
    if (!id || !items || (this.isOpen && this.viewer.item.id === id)) return;
    const place = items.findIndex((item) => item.id === id);
    if (place >= 0) return this.viewer.open({ ...this.page.context(), items, index: place });
    const signal = this.page.signal();
    try {
      // The image is not among the fetched items, so the dialog shows it alone.
      const image = await getImage(id, signal);
      const context = { ...this.page.context(), isResult: false, isReranked: false, total: 1 };
      if (readView() === id) this.viewer.open({ ...context, items: [image], index: 0 });
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      writeAddress(this.page.query(), true);
      complain(error.kind === "not-found" ? say("viewLost") : error.message);
    }
  }

  #stepped(item) {
    writeView(this.page.query(), item.id);
    const items = this.page.items() ?? [];
    if (items.findIndex((other) => other.id === item.id) >= items.length - ahead) this.page.more();
  }

  /** Adds further items to the viewer. */
  extend(items, total) {
    if (this.isOpen) this.viewer.extend(items, total);
  }

  /** Closes the open image; if it has its own history entry, by going back. */
  leave() {
    if (this.#isLeaving) return;
    if (isViewEntry()) {
      this.#isLeaving = true;
      history.back();
    } else {
      writeAddress(this.page.query(), true);
      this.viewer.close();
    }
  }

  /** Follows a move in the history. */
  arrived() {
    this.#isLeaving = false;
  }

  close() {
    this.viewer.close();
  }

  #closed(item, isForced) {
    if (isForced) this.leave();
    if (item) this.page.focus(item.id);
  }
}
