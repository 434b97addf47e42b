// What is searched: in the request, and in the form.

import { thumbnail } from "./api.js";
import { keepFile, standard } from "./address.js";
import { labelOf } from "./facts.js";
import { percent, say } from "./strings.js";

const candidateChoices = [0, 16, 32, 64, 128];
const standardLimits = { characters: 2000, results: 1000, candidates: 128 };

/** What the service takes at most; the defaults where it does not say. */
export function limitsOf(index) {
  const given = Object.entries(index?.limits ?? {}).filter(([, value]) => Number.isInteger(value) && value >= 0);
  return { ...standardLimits, ...Object.fromEntries(given) };
}

const mostCandidates = (limits) => Math.min(limits.candidates, limits.results);

/** The numbers of images to compare closely that are offered. */
function choicesOf(limits) {
  const most = Math.min(mostCandidates(limits), candidateChoices.at(-1));
  return [...new Set([...candidateChoices.filter((count) => count <= most), most])];
}

/** The number that is asked for: the largest offered that is not more than the query's. */
const candidatesOf = (query, limits) =>
  choicesOf(limits).findLast((count) => count <= query.candidates) ?? 0;

export const isSearch = (query) => Boolean(query.text || query.image);

/** Whether two queries ask for the same: the order is the page's own. */
export function isSameSearch(one, other) {
  const asked = ({ text, image, filters, minimum, candidates, sort }) =>
    JSON.stringify([text, image?.id ?? image?.key, filters, minimum, candidates, sort]);
  return asked(one) === asked(other);
}

/** Whether images are compared with words, so that they have a match probability. */
const isRead = (query) => query.candidates > 0 && Boolean(query.text);

/** The least match probability that is asked for; 0 where none is asked for or can be. */
export const minimumOf = (query) => (isRead(query) ? query.minimum : 0);

/** The fields of the first request: every image that is compared is a result, so that the page has both orders. */
export function requestOf(query, limits) {
  const candidates = candidatesOf(query, limits);
  const count = Math.min(Math.max(candidates, standard.candidates), limits.results);
  const fields = { count, candidates };
  if (query.sort !== standard.sort) fields.sort = query.sort;
  if (query.text) fields.text = query.text;
  if (query.image?.id) fields.image = query.image.id;
  if (query.filters.length) fields.filters = query.filters;
  if (candidates && minimumOf(query)) fields.minimum_probability = query.minimum;
  return fields;
}

const find = (id) => document.getElementById(id);

/** The search field, the image, the conditions and the other options. */
export class QueryForm {
  #query = standard;
  #facts = [];
  #limits = standardLimits;

  /** @param actions change(part, replaces): a part of the query is now so; complain(text) */
  constructor(actions) {
    this.actions = actions;
    find("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change({});
    });
    find("choose").addEventListener("click", () => this.choose());
    find("file").addEventListener("change", (event) => {
      this.#take(event.target.files);
      event.target.value = "";
    });
    this.#acceptFiles();
    this.#listenToOptions();
  }

  /** Lets the visitor choose a file to search with. */
  choose() {
    find("file").click();
  }

  /** Offers no more than the service takes. */
  limit(limits) {
    // An open list would lose what is chosen in it.
    if (JSON.stringify(limits) === JSON.stringify(this.#limits)) return;
    this.#limits = limits;
    find("text").maxLength = limits.characters;
    this.#fillCandidates();
  }

  /** Shows a query. */
  show(query) {
    this.#query = query;
    find("text").value = query.text;
    find("minimum").value = Math.round(query.minimum * 100);
    this.#showMinimum();
    this.#fillCandidates();
    find("minimum").disabled = isSearch(query) && !isRead(query);
    this.#showChips();
  }

  /** Whatever changes, what stands in the field is asked with it. */
  #change(part, replaces = false) {
    this.actions.change({ text: find("text").value.trim(), ...part }, replaces);
  }

  /** Names of metadata to suggest. */
  suggest(facts) {
    if (facts.join() === this.#facts.join()) return;
    this.#facts = facts;
    find("facts").replaceChildren(...facts.map((fact) => this.#suggestion(fact)));
    find("facts").hidden = facts.length === 0;
  }

  #suggestion(fact) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = fact;
    button.addEventListener("click", () => {
      find("condition").value = `${fact}=`;
      find("condition").focus();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  #listenToOptions() {
    find("show-options").addEventListener("click", () => {
      const options = find("options");
      options.hidden = !options.hidden;
      find("show-options").setAttribute("aria-expanded", String(!options.hidden));
    });
    find("conditions").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#addCondition();
    });
    find("condition").addEventListener("input", () => this.#hint(true));
    find("minimum").addEventListener("input", () => this.#showMinimum());
    find("minimum").addEventListener("change", (event) => {
      this.#change({ minimum: Number(event.target.value) / 100 }, true);
    });
    find("candidates").addEventListener("change", (event) => {
      this.#change({ candidates: Number(event.target.value) }, true);
    });
  }

  #addCondition() {
    const field = find("condition");
    const text = field.value.trim();
    if (!text) return;
    const isCondition = /^[^=<>!]*[^=<>!\s][^=<>!]*(>=|<=|!=|=|<|>)/.test(text);
    this.#hint(isCondition);
    if (!isCondition) return;
    field.value = "";
    if (this.#query.filters.includes(text)) return;
    this.#change({ filters: [...this.#query.filters, text] });
  }

  #hint(isGood) {
    const hint = find("condition-hint");
    hint.textContent = say(isGood ? "conditionHint" : "badCondition");
    hint.classList.toggle("bad", !isGood);
    find("condition").setAttribute("aria-invalid", String(!isGood));
  }

  #showMinimum() {
    const value = Number(find("minimum").value);
    find("minimum-value").value = value ? `≥ ${percent(value / 100)}` : say("any");
    find("minimum").setAttribute("aria-valuetext", find("minimum-value").value);
  }

  #fillCandidates() {
    const chosen = candidatesOf(this.#query, this.#limits);
    find("candidates").replaceChildren(...choicesOf(this.#limits).map((count) => {
      const isChosen = count === chosen;
      return new Option(count ? String(count) : say("noCandidates"), count, isChosen, isChosen);
    }));
  }

  #showChips() {
    const { image, filters } = this.#query;
    const chips = filters.map((filter) =>
      this.#chip(labelOf(filter), say("removeCondition", labelOf(filter)), () => {
        this.#change({ filters: this.#query.filters.filter((other) => other !== filter) });
      }));
    if (image) {
      const name = image.name || say("queryImage");
      const chip = this.#chip(name, say("removeImage"), () => this.#change({ image: null }));
      if (!image.isLost) this.#preview(chip.querySelector("img"), image);
      chips.unshift(chip);
    }
    find("chips").replaceChildren(...chips);
    find("chips").hidden = chips.length === 0;
  }

  #preview(picture, image) {
    picture.hidden = false;
    // Some images that the server reads, a browser does not.
    picture.addEventListener("error", () => { picture.hidden = true; });
    picture.src = image.id ? thumbnail(image.id, 96) : image.url;
  }

  #chip(text, removal, remove) {
    const chip = find("chip").content.firstElementChild.cloneNode(true);
    chip.querySelector("span").textContent = text;
    const button = chip.querySelector("button");
    button.setAttribute("aria-label", removal);
    button.title = removal;
    button.addEventListener("click", () => {
      find("text").focus();
      remove();
    });
    return chip;
  }

  #acceptFiles() {
    const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const veil = find("drop");
    let depth = 0;
    const cover = (change) => {
      depth = change === 0 ? 0 : Math.max(depth + change, 0);
      veil.hidden = depth === 0;
    };
    addEventListener("dragenter", (event) => holdsFiles(event) && cover(1));
    addEventListener("dragleave", (event) => holdsFiles(event) && cover(-1));
    addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    });
    addEventListener("drop", (event) => {
      cover(0);
      if (!holdsFiles(event)) return;
      event.preventDefault();
      this.#take(event.dataTransfer.files);
    });
    addEventListener("paste", (event) => {
      const files = event.clipboardData?.files ?? [];
      if (files.length === 0) return;
      event.preventDefault();
      this.#take(files, say("pasted"));
    });
  }

  #take(files, name) {
    const file = files[0];
    if (!file) return;
    // Systems that do not know a kind of image leave its type empty; the server will tell.
    if (file.type && !file.type.startsWith("image/")) {
      this.actions.complain(say("notImage", file.name));
      return;
    }
    this.#change({ image: keepFile(file, name) });
  }
}
