// Writes the page in the chosen language, and switches it.

import { currentLanguage, languages, memory, preferredLanguage, say, setLanguage, translate } from "./strings.js";

const find = (id) => document.getElementById(id);
const otherLanguage = () => languages.find((name) => name !== currentLanguage());

export class Language {
  /** @param written called after the page was written in another language */
  constructor(written) {
    find("language").addEventListener("click", () => {
      setLanguage(otherLanguage());
      memory.set("language", currentLanguage());
      this.#write();
      written();
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
  }
}
