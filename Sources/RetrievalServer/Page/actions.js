// Connects the actions besides searching: selecting, adding and deleting images, repeating searches, and
// managing the folder.

import { renew } from "./api.js";
import { addressOf, queryOf } from "./address.js";
import { FileDrop } from "./drop.js";
import { Examples } from "./examples.js";
import { Folder } from "./folder.js";
import { dressFolded, showFolding } from "./folding.js";
import { countImages, disliking, liking, mostQueryImages } from "./likes.js";
import { complain } from "./notices.js";
import { knowPlaces } from "./owners.js";
import { isSearch, searchKey } from "./query.js";
import { remember } from "./recent.js";
import { Selection } from "./select.js";
import { SelectionBar } from "./selectionbar.js";
import { say } from "./strings.js";
import { Suggestions } from "./suggestions.js";
import { Uploads } from "./uploads.js";
import { ViewerTools } from "./viewertools.js";

export class Actions {
  #page;
  #grid;

  /**
   * @param page query, the present query; change(part) and go(query), which change it; take(file, name), which
   *   searches with a file; open(id), leave() and renewed(image), for the open image; look(), which requests the
   *   state of the index; refresh(), which requests everything again
   */
  constructor(grid, page) {
    this.#page = page;
    this.#grid = grid;
    this.bar = new SelectionBar({
      searchWith: (items) => this.#ask(liking(page.query, items)),
      unlike: (items) => this.#ask(disliking(page.query, items)),
      changed: () => page.refresh(),
    });
    this.selection = new Selection(grid, () => this.bar.show(this.selection));
    this.bar.show(this.selection);
    this.uploads = new Uploads({ added: () => page.refresh(), open: (id) => page.open(id) });
    this.drop = new FileDrop({ search: (file, name) => page.take(file, name), add: (files) => this.uploads.add(files) });
    this.tools = new ViewerTools({
      like: (item) => this.#ask(liking(page.query, [item])),
      unlike: (item) => this.#ask(disliking(page.query, [item])),
      open: (id) => page.open(id),
      removed: (id) => {
        this.selection.drop([id]);
        page.leave();
        page.refresh();
      },
      replaced: (image) => this.#replaced(image),
    });
    this.folder = new Folder({ scanned: () => page.look() });
    this.examples = new Examples(({ text = "", filters = [] }) => page.change({ text, image: null, likes: [], unlike: [], filters }));
    this.suggestions = new Suggestions({ choose: (address) => page.go({ ...queryOf(address), order: page.query.order }) });
    this.suggestions.write();
  }

  /** Adds the marks of selection and near-duplicates to a tile. */
  dress(tile, item) {
    this.selection.dress(tile, item);
    dressFolded(tile, item);
  }

  /** Selects or deselects the current image. */
  selectCurrent() {
    const { current } = this.#grid;
    if (current) this.selection.toggle(current.id);
  }

  /** Takes over the state of the index, and offers the actions that the service allows. */
  know(index) {
    const allowed = { isWritable: index.is_writable === true };
    for (const part of [this.bar, this.uploads, this.drop, this.tools]) part.allow(allowed);
    knowPlaces(index);
    this.folder.know(index);
    this.examples.know(index);
  }

  /** Takes over the items that the grid shows. */
  show(answer, items) {
    const { query } = this.#page;
    this.selection.show(items, answer.isResult ? searchKey(query) : JSON.stringify(query.filters));
    showFolding(answer, query, (part) => this.#page.change(part));
    if (!answer.isResult && query.filters.length === 0) this.examples.see(answer.results.slice(0, 200));
  }

  /** Hides the line about near-duplicates, because there is no answer. */
  hide() {
    showFolding(null);
  }

  /** Remembers a new search once its answer arrives. */
  answered() {
    const { query } = this.#page;
    const { text, image, likes, filters } = query;
    // A file will no longer be available when the visitor repeats the search.
    if (!isSearch(query) || image?.key) return;
    const names = [image, ...likes].map((each) => each?.name).filter(Boolean);
    const label = [text, ...names, ...filters].filter(Boolean).join(" · ");
    if (text || names.length) remember(label, addressOf({ ...query, order: "rank" }));
  }

  /** Takes over the open image. */
  opened(item) {
    this.tools.show(item, isSearch(this.#page.query));
  }

  /** Writes all texts again after a change of language. */
  write() {
    this.bar.show(this.selection);
    this.uploads.write();
    this.examples.write();
    this.suggestions.write();
    this.folder.write();
  }

  #ask(part) {
    if (countImages({ ...this.#page.query, ...part }) > mostQueryImages) {
      complain(say("tooManyImages", mostQueryImages));
      return;
    }
    this.#page.change(part);
  }

  #replaced(image) {
    renew(image.id);
    // The tile loads the new image at the next refresh.
    this.#grid.list.querySelector(`.tile[data-id="${CSS.escape(image.id)}"]`)?.classList.add("lost");
    this.#page.renewed(image);
    this.#page.refresh();
  }
}
