// What is asked: in the address, in the form, and in the request.

import { thumbnail } from "./api.js";
import { percent, say } from "./strings.js";

const standard = { text: "", image: null, filters: [], minimum: 0, candidates: 64, order: "rank" };
const candidateChoices = [0, 16, 32, 64, 128];

// Dropped pictures stay with this page: an address cannot hold them, only its history entry's key.
const pictures = new Map();

function keep(file) {
  const key = `${Date.now()}-${pictures.size}`;
  pictures.set(key, { key, name: file.name, file, url: URL.createObjectURL(file) });
  return pictures.get(key);
}

/** The query that the address holds. */
export function readAddress() {
  const fields = new URLSearchParams(location.search);
  const number = (name, fallback) => (fields.has(name) ? Number(fields.get(name)) : fallback);
  const candidates = number("candidates", standard.candidates);
  const minimum = number("min", 0);
  const id = fields.get("image");
  return {
    text: (fields.get("q") ?? "").trim(),
    image: pictures.get(history.state?.picture) ?? (id ? { id, name: "" } : null),
    filters: fields.getAll("where"),
    minimum: minimum > 0 && minimum < 1 ? minimum : 0,
    candidates: candidateChoices.includes(candidates) ? candidates : standard.candidates,
    order: fields.get("order") === "recall" ? "recall" : "rank",
  };
}

/** Writes a query into the address, as a new entry of the history or into this one. */
export function writeAddress(query, replaces) {
  const fields = new URLSearchParams();
  if (query.text) fields.set("q", query.text);
  if (query.image?.id) fields.set("image", query.image.id);
  for (const filter of query.filters) fields.append("where", filter);
  if (query.minimum) fields.set("min", query.minimum);
  if (query.candidates !== standard.candidates) fields.set("candidates", query.candidates);
  if (query.order !== standard.order) fields.set("order", query.order);
  const address = fields.size ? `?${fields}` : location.pathname;
  const state = { picture: query.image?.key ?? null };
  if (replaces) history.replaceState(state, "", address);
  else history.pushState(state, "", address);
}

export const isSearch = (query) => Boolean(query.text || query.image);

/** Whether pictures are read together with words, so that they have a match probability. */
const isRead = (query) => query.candidates > 0 && Boolean(query.text);

/** The least match probability that is asked for, 0 if none is or can be. */
export const minimumOf = (query) => (isRead(query) ? query.minimum : 0);

/** The request's fields: as many results as are re-ranked, so that the page has both orders. */
export function requestOf(query) {
  const fields = { count: query.candidates || standard.candidates, candidates: query.candidates };
  if (query.text) fields.text = query.text;
  if (query.image?.id) fields.image = query.image.id;
  if (query.filters.length) fields.filters = query.filters;
  if (minimumOf(query)) fields.minimum_probability = query.minimum;
  return fields;
}

const find = (id) => document.getElementById(id);

/** The search field, the picture, the conditions and the other options. */
export class QueryForm {
  #query = standard;
  #facts = [];

  /** @param actions change(part, replaces): a part of the query is now so; complain(text) */
  constructor(actions) {
    this.actions = actions;
    find("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#change({});
    });
    find("choose").addEventListener("click", () => find("file").click());
    find("file").addEventListener("change", (event) => {
      this.#take(event.target.files);
      event.target.value = "";
    });
    this.#acceptPictures();
    this.#listenToOptions();
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
    find("candidates").replaceChildren(...candidateChoices.map((count) => {
      const isChosen = count === this.#query.candidates;
      return new Option(count ? String(count) : say("noCandidates"), count, isChosen, isChosen);
    }));
  }

  #showChips() {
    const { image, filters } = this.#query;
    const chips = filters.map((filter) =>
      this.#chip(filter, say("removeCondition", filter), () => {
        this.#change({ filters: this.#query.filters.filter((other) => other !== filter) });
      }));
    if (image) {
      const name = image.name || say("queryPicture");
      const chip = this.#chip(name, say("removePicture"), () => this.#change({ image: null }));
      const picture = chip.querySelector("img");
      picture.hidden = false;
      // Some pictures that the server reads, a browser does not.
      picture.addEventListener("error", () => { picture.hidden = true; });
      picture.src = image.id ? thumbnail(image.id, 96) : image.url;
      chips.unshift(chip);
    }
    find("chips").replaceChildren(...chips);
    find("chips").hidden = chips.length === 0;
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

  #acceptPictures() {
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
    // Systems that do not know a kind of picture leave its type empty; the server will tell.
    if (file.type && !file.type.startsWith("image/")) {
      this.actions.complain(say("notPicture", file.name));
      return;
    }
    const image = keep(file);
    if (name) image.name = name;
    this.#change({ image });
  }
}
