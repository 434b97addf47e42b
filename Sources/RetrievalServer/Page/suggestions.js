// The list of recent searches below the search field, a combobox for the keyboard.

import { forget, forgetAll, matching, recentSearches } from "./recent.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
const shownAtMost = 8;

export class Suggestions {
  #field = find("text");
  #entries = [];
  #chosen = -1;

  /** @param actions choose(address), which repeats a recent search */
  constructor(actions) {
    this.actions = actions;
    const box = find("recent");
    this.#field.addEventListener("pointerdown", () => this.#field.value || this.#open());
    this.#field.addEventListener("input", () => this.#open());
    this.#field.addEventListener("keydown", (event) => this.#press(event));
    find("search").addEventListener("submit", () => this.close());
    find("search").addEventListener("focusout", (event) => {
      if (!find("search").contains(event.relatedTarget)) this.close();
    });
    // The field keeps the focus during a click in the list.
    box.addEventListener("pointerdown", (event) => event.preventDefault());
    find("recent-clear").addEventListener("click", () => {
      forgetAll();
      this.close();
      this.#field.focus();
    });
  }

  get isOpen() {
    return !find("recent").hidden;
  }

  close() {
    find("recent").hidden = true;
    this.#field.setAttribute("aria-expanded", "false");
    this.#choose(-1);
  }

  #open() {
    this.#entries = matching(this.#field.value.trim(), shownAtMost)
      .filter(({ label }) => label !== this.#field.value.trim());
    if (this.#entries.length === 0) return this.close();
    find("recent-list").replaceChildren(...this.#entries.map((entry, index) => this.#option(entry, index)));
    find("recent").hidden = false;
    this.#field.setAttribute("aria-expanded", "true");
    this.#choose(-1);
  }

  #option({ label, address }, index) {
    const option = document.createElement("li");
    option.id = `recent-${index}`;
    option.setAttribute("role", "option");
    option.dir = "auto";
    option.textContent = label;
    option.addEventListener("click", () => this.#take(address));
    return option;
  }

  #take(address) {
    this.close();
    this.actions.choose(address);
  }

  #choose(index) {
    this.#chosen = index;
    [...find("recent-list").children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === index));
      if (place === index) option.scrollIntoView({ block: "nearest" });
    });
    if (index < 0) this.#field.removeAttribute("aria-activedescendant");
    else this.#field.setAttribute("aria-activedescendant", `recent-${index}`);
  }

  #press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.#entries.length - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!this.isOpen) {
        if (recentSearches().length === 0) return;
        this.#open();
        if (!this.isOpen) return;
        this.#choose(event.key === "ArrowDown" ? 0 : this.#entries.length - 1);
      } else if (event.key === "ArrowDown") {
        this.#choose(this.#chosen >= last ? -1 : this.#chosen + 1);
      } else {
        this.#choose(this.#chosen < 0 ? last : this.#chosen - 1);
      }
    } else if (event.key === "Escape" && this.isOpen) {
      this.close();
    } else if (event.key === "Enter" && this.isOpen && this.#chosen >= 0) {
      this.#take(this.#entries[this.#chosen].address);
    } else if (event.key === "Delete" && event.shiftKey && this.#chosen >= 0) {
      forget(this.#entries[this.#chosen].address);
      this.#open();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Writes the label of the list in the chosen language. */
  write() {
    find("recent-list").setAttribute("aria-label", say("recent"));
  }
}
