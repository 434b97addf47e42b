// The actions on the open image (more or less like it, download, replace, delete), and
// its near-duplicates.

import { downloadOne } from "./archive.js";
import { isAbort, thumbnail } from "./api.js";
import { confirmDeletion, deleteImages, remainder } from "./deletion.js";
import { announce } from "./notices.js";
import { ownerOf } from "./owners.js";
import { say } from "./strings.js";
import { sendImage } from "./writing.js";

const find = (id) => document.getElementById(id);

export class ViewerTools {
  #item = null;
  #work = null;

  /**
   * @param actions like(item), unlike(item), open(id), removed(id), replaced(image)
   */
  constructor(actions) {
    this.actions = actions;
    const on = (name, act) => find(`viewer-${name}`).addEventListener("click", act);
    on("like", () => actions.like(this.#item));
    on("unlike", () => actions.unlike(this.#item));
    on("download", () => downloadOne(this.#item));
    on("delete", () => this.#delete());
    on("replace", () => find("replacement").click());
    find("replacement").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.#replace(file);
    });
  }

  /** Offers the actions that the service allows. */
  allow({ isWritable }) {
    find("viewer-writing").hidden = !isWritable;
  }

  /**
   * Shows the actions and near-duplicates of an image.
   *
   * @param isSearch whether there is a search to which the image can be added
   */
  show(item, isSearch) {
    if (item.id !== this.#item?.id) {
      this.#work?.abort();
      this.#tell("");
    }
    this.#item = item;
    find("viewer-like").hidden = !isSearch;
    find("viewer-unlike").hidden = !isSearch;
    // Only images that clients added can be changed here.
    const owner = ownerOf(item);
    find("viewer-replace").hidden = owner !== null && owner !== "client";
    find("viewer-delete").hidden = owner === "folder";
    find("viewer-owner").hidden = owner !== "folder";
    this.#showDuplicates(item.duplicates ?? []);
  }

  #showDuplicates(duplicates) {
    find("viewer-duplicates").hidden = duplicates.length === 0;
    find("duplicates-title").textContent = say("duplicates", duplicates.length);
    find("duplicates").replaceChildren(...duplicates.map(({ id, name }) => {
      const entry = document.createElement("li");
      const open = document.createElement("button");
      const picture = document.createElement("img");
      open.type = "button";
      open.title = name;
      picture.src = thumbnail(id, 160);
      picture.alt = name;
      picture.loading = "lazy";
      open.append(picture);
      open.addEventListener("click", () => this.actions.open(id));
      entry.append(open);
      return entry;
    }));
  }

  #tell(text, isBad = false) {
    find("viewer-said").textContent = text;
    find("viewer-said").hidden = !text;
    find("viewer-said").classList.toggle("bad", isBad);
    if (text) announce(text);
  }

  async #delete() {
    const item = this.#item;
    if ((await confirmDeletion([item])).length === 0) return;
    const { gone, reasons } = await deleteImages([item], {});
    if (reasons.size) this.#tell(remainder(reasons), true);
    if (!gone.length) return;
    announce(say("deleted", 1));
    this.actions.removed(item.id);
  }

  async #replace(file) {
    const item = this.#item;
    this.#work?.abort();
    const work = new AbortController();
    this.#work = work;
    this.#tell(say("replacing", 0));
    try {
      const progress = (sent, total) => {
        if (!work.signal.aborted) find("viewer-said").textContent = say("replacing", sent / Math.max(total, 1));
      };
      const image = await sendImage(file, { id: item.id, signal: work.signal, progress });
      if (work.signal.aborted) return;
      this.#tell(say("replaced"));
      this.actions.replaced(image);
    } catch (error) {
      if (!isAbort(error) && !work.signal.aborted) this.#tell(error.message, true);
      else if (!work.signal.aborted) this.#tell("");
    }
  }
}
