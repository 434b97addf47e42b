// Writes the page in a language, and switches it.

import { button } from "./notices.js";
import { currentLanguage, languages, memory, preferredLanguage, say, setLanguage, translate } from "./strings.js";

const find = (id) => document.getElementById(id);
const otherLanguage = () => languages.find((name) => name !== currentLanguage());

export class Language {
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
    find("examples").replaceChildren(...say("exampleQueries").map((text) => {
      const item = document.createElement("li");
      item.append(button(text, () => this.actions.example(text), "plain"));
      return item;
    }));
  }
}
