// Writes the page in a language, and switches it.

import { button } from "./notices.js";
import { currentLanguage, languages, memory, preferredLanguage, say, setLanguage, translate } from "./strings.js";

const find = (id) => document.getElementById(id);
const otherLanguage = () => languages.find((name) => name !== currentLanguage());

export class Language {
  #model = null;

  /** @param actions example(text): an example was chosen; written(): the page is in another language */
  constructor(actions) {
    this.actions = actions;
    find("language").addEventListener("click", () => {
      setLanguage(otherLanguage());
      memory.set("language", currentLanguage());
      this.#write();
      actions.written();
    });
    setLanguage(preferredLanguage());
    this.#write();
  }

  #write() {
    translate(document);
    const other = find("language");
    other.textContent = say("otherLanguage");
    other.lang = otherLanguage();
    other.title = say("switchLanguage");
    this.#writeExamples();
  }

  /** Gives examples of what a model knows. */
  suggestFor(model) {
    if (model === this.#model) return;
    this.#model = model;
    this.#writeExamples();
  }

  #writeExamples() {
    if (!this.#model) return;
    const queries = say(this.#model === "wardrobe" ? "wardrobeQueries" : "exampleQueries");
    find("examples").replaceChildren(...queries.map((text) => {
      const item = document.createElement("li");
      item.append(button(text, () => this.actions.example(text), "plain"));
      return item;
    }));
    find("hero-examples").classList.remove("waiting");
  }
}
