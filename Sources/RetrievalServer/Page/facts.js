// The form of conditions on the facts of images (years, camera, folder, shape) and of their order.

import { lastPart } from "./about.js";
import { sorts, standard } from "./address.js";
import { getFacets, isAbort } from "./api.js";
import { isSearch } from "./query.js";
import { currentLanguage, say } from "./strings.js";

const find = (id) => document.getElementById(id);

// The conditions that this form makes; the visitor types others.
const forms = {
  from: { reads: /^date>=(\d{4})$/, writes: (year) => `date>=${year}`, says: (year) => say("fromYear", year) },
  to: { reads: /^date<=(\d{4})$/, writes: (year) => `date<=${year}`, says: (year) => say("toYear", year) },
  camera: { reads: /^camera=(.+)$/s, writes: (name) => `camera=${name}`, says: (name) => name },
  folder: { reads: /^folder=(.+)$/s, writes: (path) => `folder=${path}`, says: lastPart },
  shape: {
    reads: /^orientation=(landscape|portrait|square)$/,
    writes: (name) => `orientation=${name}`,
    says: (name) => say("orientations")[name],
  },
};
const names = Object.keys(forms);

/** The label of a condition; the text itself for a typed one. */
export function labelOf(filter) {
  for (const { reads, says } of Object.values(forms)) {
    const value = reads.exec(filter)?.[1];
    if (value) return says(value);
  }
  return filter;
}

/** The chosen values, by field. */
const chosenIn = (filters) =>
  Object.fromEntries(names.map((name) => {
    const found = filters.map((filter) => forms[name].reads.exec(filter)?.[1]).find(Boolean);
    return [name, found ?? ""];
  }));

/** Folders and their parents, below the part that all share, each with its number of images. */
export function folderTree(folders) {
  const parts = (path) => path.split(/(?<=.)\//);
  const paths = folders.map(({ value }) => parts(value));
  let common = 0;
  while (paths.length && paths.every((path) => path.length > common + 1 && path[common] === paths[0][common])) common += 1;
  const counts = new Map();
  folders.forEach(({ count }, index) => {
    for (let end = common + 1; end <= paths[index].length; end += 1) {
      const path = paths[index].slice(0, end).join("/");
      counts.set(path, (counts.get(path) ?? 0) + count);
    }
  });
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([value, count]) =>
    ({ value, count, label: parts(value).slice(common).join(" / ") }));
}

export class FactsForm {
  #query = standard;
  #facets = {};
  #generation = null;
  #loaded = null;
  #request = null;

  /** @param actions change(part): called with the part of the query that the visitor changed */
  constructor(actions) {
    this.actions = actions;
    for (const name of names) find(`fact-${name}`).addEventListener("change", () => this.#changed(name));
    find("sort").addEventListener("change", (event) => actions.change({ sort: event.target.value }));
    find("show-options").addEventListener("click", () => this.#load());
  }

  /** Shows a query. */
  show(query) {
    this.#query = query;
    this.#write();
  }

  /** Offers the values that the index holds now. */
  follow({ generation }) {
    this.#generation = generation;
    if (!find("options").hidden) this.#load();
  }

  async #load() {
    if (this.#loaded !== null && this.#loaded === this.#generation) return;
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    const generation = this.#generation;
    try {
      this.#facets = await getFacets(request.signal);
      this.#loaded = generation;
      this.#write();
    } catch (error) {
      // The visitor can still type conditions, and the next state of the index brings another attempt.
      if (!isAbort(error)) this.#facets = {};
    }
  }

  #changed(name) {
    const { filters } = this.#query;
    const chosen = Object.fromEntries(names.map((each) => [each, find(`fact-${each}`).value]));
    // The first year must not be after the last one.
    if (chosen.from && chosen.to && chosen.from > chosen.to) chosen[name === "from" ? "to" : "from"] = chosen[name];
    const typed = filters.filter((filter) => !names.some((each) => forms[each].reads.test(filter)));
    const made = names.filter((each) => chosen[each]).map((each) => forms[each].writes(chosen[each]));
    this.actions.change({ filters: [...typed, ...made] });
  }

  #write() {
    const { years = [], cameras = [], folders = [], orientations = [] } = this.#facets;
    const chosen = chosenIn(this.#query.filters);
    const shapes = orientations.map((shape) => ({ ...shape, label: say("orientations")[shape.value] }));
    const named = years.map(({ value }) => ({ value }));
    this.#fill("from", say("any"), [...named].reverse(), chosen.from, years.length > 0);
    this.#fill("to", say("any"), named, chosen.to, years.length > 0);
    this.#fill("camera", say("anyCamera"), cameras, chosen.camera, cameras.length > 0);
    this.#fill("folder", say("anyFolder"), folderTree(folders), chosen.folder, folders.length > 1);
    this.#fill("shape", say("anyShape"), shapes, chosen.shape, orientations.length > 1);
    this.#sort(years.length > 0);
  }

  /** Fills a list, and hides it if it offers no choice. */
  #fill(name, any, values, chosen, isUseful) {
    const list = find(`fact-${name}`);
    const known = values.some(({ value }) => value === chosen);
    const all = known || !chosen ? values : [{ value: chosen, label: name === "from" || name === "to" ? chosen : forms[name].says(chosen) }, ...values];
    const amount = (count) => (count === undefined ? "" : ` (${count.toLocaleString(currentLanguage())})`);
    list.replaceChildren(
      new Option(any, ""),
      ...all.map(({ value, count, label = value }) => new Option(label + amount(count), value)),
    );
    list.value = chosen;
    list.closest(".fact").hidden = !isUseful && !chosen;
  }

  #sort(hasDates) {
    const { sort } = this.#query;
    const texts = say(isSearch(this.#query) ? "sortsOfSearch" : "sortsOfImages");
    find("sort").replaceChildren(...sorts.map((each) => new Option(texts[each], each)));
    find("sort").value = sort;
    find("sort").closest(".fact").hidden = !hasDates && sort === standard.sort;
  }
}
