// Examples of searches from the words of this gallery: its folders, its years, and the metadata of its images.
// If these are few, examples for the model join them.

import { getFacets } from "./api.js";
import { button } from "./notices.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
const most = 5;
const ownAtMost = 4;

// Folder names that do not describe the images in them.
const plain = /^(dcim|images?|photos?|pictures?|bilder|fotos?|uploads?|camera|export(s|ed)?|misc|new|tmp|temp|图片|照片|相册)$/iu;

/** The words of a folder's name, without digits and signs; empty if it has no meaning. */
export function wordsOf(path) {
  const name = path.split(/[\\/]/u).filter(Boolean).at(-1) ?? "";
  const words = name.replace(/[_\-.,+()[\]\d]+/gu, " ").replace(/\s+/gu, " ").trim();
  const letters = [...words.matchAll(/\p{L}/gu)].length;
  const least = /\p{Script=Han}/u.test(words) ? 1 : 3;
  return letters < least || words.length > 40 || plain.test(words) || /^[A-Z]{2,5}$/u.test(words) ? "" : words;
}

/** Conditions on the images' metadata, one per name, that hold for several images but not for all. */
export function conditionsFrom(images, names) {
  const found = [];
  for (const name of names) {
    const counts = new Map();
    for (const { metadata = {} } of images) {
      const values = [metadata[name] ?? []].flat().filter((value) => typeof value === "string" && /^[\p{L}\d][^<>=!]{0,23}$/u.test(value));
      for (const value of new Set(values)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const [best] = [...counts].filter(([, count]) => count > 1 && count < images.length).sort((a, b) => b[1] - a[1]);
    if (best && !["name", "id", "path"].includes(name)) found.push({ label: best[0], filters: [`${name}=${best[0]}`] });
  }
  return found;
}

/** Examples from facets: words of folders to search for, and a year to filter by. */
export function fromFacets({ folders = [], years = [] }) {
  const words = [...new Set(folders.map(({ value }) => wordsOf(value)).filter(Boolean))];
  return [
    ...words.slice(0, 3).map((text) => ({ label: text, text })),
    ...years.slice(0, 1).map(({ value }) => ({ label: value, filters: [`date=${value}`] })),
  ];
}

export class Examples {
  #model = null;
  #facets = {};
  #images = [];
  #names = [];
  #generation = null;

  /** @param choose(example): called with the `text` or the `filters` to search with */
  constructor(choose) {
    this.choose = choose;
  }

  /** Takes over the index: shows examples for its model, and requests the gallery's facets. */
  async know({ model, generation, facts = [] }) {
    this.#model = model?.name ?? "";
    this.#names = facts;
    this.write();
    if (this.#generation === generation) return;
    this.#generation = generation;
    try {
      this.#facets = await getFacets();
      this.write();
    } catch {
      // The examples for the model remain.
    }
  }

  /** Takes over some images with their metadata. */
  see(images) {
    this.#images = images;
    this.write();
  }

  write() {
    if (this.#model === null) return;
    const own = [...fromFacets(this.#facets), ...conditionsFrom(this.#images, this.#names)].slice(0, ownAtMost);
    const known = say(this.#model === "wardrobe" ? "wardrobeQueries" : "exampleQueries").map((text) => ({ label: text, text }));
    const examples = [...own, ...known].slice(0, Math.max(most, known.length));
    const texts = examples.map(({ label }) => label).join("\n");
    find("hero-examples").classList.remove("waiting");
    if (find("examples").dataset.shown === texts) return;
    find("examples").dataset.shown = texts;
    find("examples").replaceChildren(...examples.map((example) => {
      const item = document.createElement("li");
      const made = button(example.label, () => this.choose(example), "plain");
      made.dir = "auto";
      item.append(made);
      return item;
    }));
  }
}
