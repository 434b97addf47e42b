// The bar at the bottom: the number of selected images, and the actions on them.

import { sizeOf } from "./about.js";
import { addressOf, standard } from "./address.js";
import { isAbort } from "./api.js";
import { downloadMany, downloadOne } from "./archive.js";
import { confirmDeletion, deleteImages, remainder } from "./deletion.js";
import { asCSV, asJSON } from "./exports.js";
import { mostQueryImages } from "./likes.js";
import { announce, complain } from "./notices.js";
import { copy, saveFile, today } from "./saving.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
const tell = (text) => {
  find("selection-said").textContent = text;
  announce(text);
};

export class SelectionBar {
  #selection = null;
  /** The running action, which the visitor can stop. */
  #work = null;

  /** @param actions searchWith(items), unlike(items), changed(), called after images were deleted */
  constructor(actions) {
    this.actions = actions;
    const on = (name, act) => find(`selection-${name}`).addEventListener("click", act);
    on("all", () => this.#selection.all());
    on("clear", () => this.#leave());
    on("like", () => actions.searchWith(this.#selection.items));
    on("unlike", () => actions.unlike(this.#selection.items));
    on("download", () => this.#download());
    on("delete", () => this.#delete());
    on("stop", () => this.#work?.abort());
    on("paths", () => this.#copy(({ path }) => path, "copiedPaths"));
    on("links", () => this.#copy(({ id }) => new URL(addressOf(standard, id), document.baseURI).href, "copiedLinks"));
    on("json", () => this.#save(asJSON, "application/json", "json"));
    on("csv", () => this.#save(asCSV, "text/csv;charset=utf-8", "csv"));
    find("selection-menu").addEventListener("click", (event) => {
      if (event.target.closest("button")) find("selection-menu").hidePopover();
    });
    find("start-selecting").addEventListener("click", () => {
      if (this.#selection.isOn) this.#leave();
      else this.#selection.begin();
    });
  }

  /** Shows the selection. */
  show(selection) {
    this.#selection = selection;
    const { count, isOn } = selection;
    const bar = find("selection");
    const wasHidden = bar.hidden;
    bar.hidden = !isOn;
    find("start-selecting").setAttribute("aria-pressed", String(isOn));
    if (!isOn) return;
    if (wasHidden) find("selection-said").textContent = "";
    const text = say("selected", count);
    if (find("selection-count").textContent !== text) {
      find("selection-count").textContent = text;
      if (!wasHidden || count) announce(text);
    }
    find("selection-all").disabled = selection.isWhole;
    for (const control of bar.querySelectorAll(".acts button")) control.disabled = count === 0 || Boolean(this.#work);
    for (const name of ["like", "unlike"]) {
      const control = find(`selection-${name}`);
      const isTooMany = count > mostQueryImages;
      control.disabled ||= isTooMany;
      control.title = isTooMany ? say("tooManyToSearch", mostQueryImages) : "";
    }
  }

  /** Offers the actions that the service allows. */
  allow({ isWritable }) {
    find("selection-delete").hidden = !isWritable;
  }

  /** Returns the focus to the images. */
  #leave() {
    const hadFocus = find("selection").contains(document.activeElement);
    this.#selection.clear();
    if (hadFocus) document.querySelector("#grid .open[tabindex='0']")?.focus();
  }

  async #download() {
    const { items } = this.#selection;
    if (items.length === 1) {
      downloadOne(items[0]);
      return;
    }
    await this.#go(async (signal) => {
      tell(say("packing", items.length));
      await downloadMany(items, {
        signal,
        progress: (received, total) => {
          this.#progress(received, total);
          find("selection-said").textContent = say("received", sizeOf(received), total === null ? null : sizeOf(total));
        },
      });
      tell(say("downloaded", items.length));
    });
  }

  async #delete() {
    const items = await confirmDeletion(this.#selection.items);
    if (items.length === 0) return;
    await this.#go(async (signal) => {
      const progress = (done, total) => {
        this.#progress(done, total);
        find("selection-said").textContent = say("deleting", done, total);
      };
      const { gone, reasons } = await deleteImages(items, { progress, signal });
      if (gone.length) announce(say("deleted", gone.length));
      tell(gone.length ? say("deleted", gone.length) : "");
      if (reasons.size) complain(remainder(reasons));
      this.#selection.drop(gone);
      if (gone.length) this.actions.changed();
    });
  }

  async #copy(partOf, said) {
    const parts = this.#selection.items.map(partOf).filter(Boolean);
    tell((await copy(parts.join("\n"))) ? say(said, parts.length) : say("notCopied"));
  }

  #save(write, type, ending) {
    const { items } = this.#selection;
    saveFile(new Blob([write(items)], { type }), `albef-${today()}.${ending}`);
    tell(say("exported", items.length));
  }

  /** Runs a long action that the visitor can stop. */
  async #go(act) {
    const work = new AbortController();
    this.#work = work;
    this.#progress(0, null);
    find("selection-working").hidden = false;
    this.show(this.#selection);
    try {
      await act(work.signal);
    } catch (error) {
      if (isAbort(error)) tell(say("stopped"));
      else complain(error.message);
    } finally {
      this.#work = null;
      find("selection-working").hidden = true;
      this.show(this.#selection);
    }
  }

  #progress(done, total) {
    const bar = find("selection-progress");
    if (total === null) return bar.removeAttribute("value");
    bar.max = Math.max(total, 1);
    bar.value = done;
  }
}
