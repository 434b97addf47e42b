// The query: the fields of its request, and its form.

import { thumbnail } from "./api.js";
import { forgetting, imageFields } from "./likes.js";
import { keepFile, standard } from "./address.js";
import { labelOf } from "./facts.js";
import { percent, say } from "./strings.js";
import { dropTerm, readTerms, termsOf } from "./terms.js";

const candidateChoices = [0, 16, 32, 64, 128];
const standardLimits = { characters: 2000, results: 1000, candidates: 128 };

/** The limits of the service; the defaults if it names none. */
export function limitsOf(index) {
  const given = Object.entries(index?.limits ?? {}).filter(([, value]) => Number.isInteger(value) && value >= 0);
  return { ...standardLimits, ...Object.fromEntries(given) };
}

const mostCandidates = (limits) => Math.min(limits.candidates, limits.results);

/** The offered numbers of images to compare closely. */
function choicesOf(limits) {
  const most = Math.min(mostCandidates(limits), candidateChoices.at(-1));
  return [...new Set([...candidateChoices.filter((count) => count <= most), most])];
}

/** The number to request: the largest offered one that does not exceed the query's. */
const candidatesOf = (query, limits) =>
  choicesOf(limits).findLast((count) => count <= query.candidates) ?? 0;

export const isSearch = (query) => Boolean(query.text || query.image);

/** Whether two queries need the same request; the page itself switches the order. */
export function isSameSearch(one, other) {
  return searchKey(one) === searchKey(other);
}

/** All images of a query. */
export const imagesOf = ({ image, likes, unlike }) => [image, ...likes, ...unlike].filter(Boolean);

/** The request of a query, as one text. */
export function searchKey({ text, image, likes, unlike, filters, minimum, candidates, sort, unfolds }) {
  const ids = (images) => images.map(({ id }) => id);
  const asked = [text, image?.id ?? image?.key, ids(likes), ids(unlike), filters, minimum, candidates, sort, unfolds];
  return JSON.stringify(asked);
}

/** Whether a query has only exclusions. */
export const lacksSubject = (query) => Boolean(query.text) && !query.image && !readTerms(query.text).text;

/** Whether images are compared with words, so that they have a match probability. */
const isRead = (query) => query.candidates > 0 && Boolean(readTerms(query.text).text);

/** The least match probability of the query; 0 if it has none, or cannot have one. */
export const minimumOf = (query) => (isRead(query) ? query.minimum : 0);

/** The fields of the first request, whose results include every compared image, so that the page has both orders. */
export function requestOf(query, limits) {
  const candidates = candidatesOf(query, limits);
  const count = Math.min(Math.max(candidates, standard.candidates), limits.results);
  const fields = { count, candidates };
  if (query.sort !== standard.sort) fields.sort = query.sort;
  const { text, without, emphasis } = readTerms(query.text);
  if (text) fields.text = text;
  if (without.length) fields.without = without;
  if (Object.keys(emphasis).length) fields.emphasis = emphasis;
  Object.assign(fields, imageFields(query));
  if (!query.unfolds) fields.fold = true;
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

  /** @param actions change(part, replaces), called with the changed part of the query; complain(text) */
  constructor(actions) {
    this.actions = actions;
    find("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change({});
    });
    find("choose").addEventListener("click", () => this.choose());
    find("file").addEventListener("change", (event) => {
      this.take(event.target.files[0]);
      event.target.value = "";
    });
    this.#listenToOptions();
  }

  /** Lets the visitor choose a file to search with. */
  choose() {
    find("file").click();
  }

  /** Offers no more than the service accepts. */
  limit(limits) {
    // An open list would lose its selection.
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

  /** Changes the query, together with the text in the field. */
  #change(part, replaces = false) {
    this.actions.change({ text: find("text").value.trim(), ...part }, replaces);
  }

  /** Suggests names of metadata. */
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
    const { text, image, likes, unlike, filters } = this.#query;
    const chips = [
      ...[image, ...likes].filter(Boolean).map((each) => this.#imageChip(each, "removeImage")),
      ...unlike.map((each) => this.#imageChip(each, "removeUnlike", "unlikeImage")),
      ...termsOf(text).filter(({ kind }) => kind !== "plain").map((term) => this.#termChip(term)),
      ...filters.map((filter) =>
        this.#chip(labelOf(filter), say("removeCondition", labelOf(filter)), () => {
          this.#change({ filters: this.#query.filters.filter((other) => other !== filter) });
        })),
    ];
    find("chips").replaceChildren(...chips);
    find("chips").hidden = chips.length === 0;
  }

  #imageChip(image, removal, sign) {
    const name = image.name || say("queryImage");
    const chip = this.#chip(sign ? say(sign, name) : name, say(removal), () => this.#change(forgetting(this.#query, image)));
    chip.classList.toggle("minus", Boolean(sign));
    if (!image.isLost) this.#preview(chip.querySelector("img"), image);
    return chip;
  }

  /** Creates the chip of an excluded or weighted term. */
  #termChip(term) {
    const { kind, text, weight } = term;
    const [shown, removal] = kind === "without"
      ? [say("without", text), say("removeWithout", text)]
      : [say("weighted", text, weight), say("removeWeight", text)];
    const chip = this.#chip(shown, removal, () => this.actions.change({ text: dropTerm(this.#query.text, term) }));
    chip.classList.toggle("minus", kind === "without");
    return chip;
  }

  #preview(picture, image) {
    picture.hidden = false;
    // The browser cannot show some images that the server reads.
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

  /** Searches with a file, which the chip shows as `name`. */
  take(file, name) {
    if (!file) return;
    // Some systems leave the type of an image empty. The server decides whether it can read the file.
    if (file.type && !file.type.startsWith("image/")) {
      this.actions.complain(say("notImage", file.name));
      return;
    }
    this.#change({ image: keepFile(file, name), likes: [] });
  }
}
