// Asks for the key for changing the gallery.

const find = (id) => document.getElementById(id);

export class KeyPrompt {
  #dialog = find("key-prompt");
  #settle = null;

  constructor() {
    find("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = find("writing-key").value.trim();
      if (!typed) return;
      // A header cannot carry other characters, so no key has them.
      if (!/^[\x21-\x7e]+$/.test(typed)) return this.#refuse(true);
      this.#close(typed);
    });
    find("key-cancel").addEventListener("click", () => this.#close(null));
    this.#dialog.addEventListener("close", () => this.#close(null));
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && this.#close(null));
  }

  /** Asks, and returns the key, or null if the visitor cancels. */
  ask(wasRefused) {
    this.#refuse(wasRefused);
    find("writing-key").value = "";
    this.#dialog.showModal();
    find("writing-key").focus();
    return new Promise((resolve) => { this.#settle = resolve; });
  }

  #refuse(isBad) {
    find("writing-key-error").hidden = !isBad;
    find("writing-key").setAttribute("aria-invalid", String(isBad));
  }

  #close(value) {
    const settle = this.#settle;
    this.#settle = null;
    find("writing-key").value = "";
    if (this.#dialog.open) this.#dialog.close();
    settle?.(value);
  }
}
