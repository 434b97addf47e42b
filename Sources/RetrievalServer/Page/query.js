// What is searched: in the request, and in the form.

import { thumbnail } from "./api.js";
import { forgetting, imageFields } from "./likes.js";
import { keepFile, standard } from "./address.js";
import { labelOf } from "./facts.js";
import { percent, say } from "./strings.js";
import { dropTerm, readTerms, termsOf } from "./terms.js";

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
  return searchKey(one) === searchKey(other);
}

/** All images of a query. */
export const imagesOf = ({ image, likes, unlike }) => [image, ...likes, ...unlike].filter(Boolean);

/** What a query asks for, as one text. */
export function searchKey({ text, image, likes, unlike, filters, minimum, candidates, sort, unfolds }) {
  const ids = (images) => images.map(({ id }) => id);
  const asked = [text, image?.id ?? image?.key, ids(likes), ids(unlike), filters, minimum, candidates, sort, unfolds];
  return JSON.stringify(asked);
}

/** Whether a query says only what is not wanted. */
export const lacksSubject = (query) => Boolean(query.text) && !query.image && !readTerms(query.text).text;

/** Whether images are compared with words, so that they have a match probability. */
const isRead = (query) => query.candidates > 0 && Boolean(readTerms(query.text).text);

/** The least match probability that is asked for; 0 where none is asked for or can be. */
export const minimumOf = (query) => (isRead(query) ? query.minimum : 0);

/** The fields of the first request: every image that is compared is a result, so that the page has both orders. */
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

  /** @param actions change(part, replaces): a part of the query is now so; complain(text) */
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

  /** What of the words is not to be seen, or weighs more or less than the others. */
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

  /** Searches with a file; `name` is what it is called. */
  take(file, name) {
    if (!file) return;
    // Systems that do not know a kind of image leave its type empty; the server will tell.
    if (file.type && !file.type.startsWith("image/")) {
      this.actions.complain(say("notImage", file.name));
      return;
    }
    this.#change({ image: keepFile(file, name), likes: [] });
  }
}
