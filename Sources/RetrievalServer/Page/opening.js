// The image that is open, as the address says, and the way back from it.

import { isViewEntry, readView, writeAddress, writeView } from "./address.js";
import { getImage, isAbort } from "./api.js";
import { complain } from "./notices.js";
import { say } from "./strings.js";
import { Viewer } from "./viewer.js";

// So few images before the last one, the next are fetched.
const ahead = 8;

export class Opening {
  #isLeaving = false;

  /**
   * @param page query(), what is asked; items(), what is shown, or null before there is an answer;
   *   context(), what the viewer is to know of the answer; signal(), of the present request;
   *   stay(), remembers the place on the page; similar(item); more(), fetches further images;
   *   focus(id), leads back to a tile; shown(item): an image is open
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

  /** Opens an image, in an entry of the history of its own. */
  open(id) {
    this.page.stay();
    writeView(this.page.query(), id);
    this.follow();
  }

  /** Opens or closes the dialog as the address says. */
  async follow() {
    const id = readView();
    if (!id) this.viewer.close();
    const items = this.page.items();
    if (!id || !items || (this.isOpen && this.viewer.item.id === id)) return;
    const place = items.findIndex((item) => item.id === id);
    if (place >= 0) return this.viewer.open({ ...this.page.context(), items, index: place });
    const signal = this.page.signal();
    try {
      // It is not among what was found or fetched so far: it is shown alone.
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

  /** More images came: the viewer goes on through them. */
  extend(items, total) {
    if (this.isOpen) this.viewer.extend(items, total);
  }

  /** Leaves the open image: the history goes back where it has an entry, and the dialog follows. */
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

  /** The history has moved. */
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
