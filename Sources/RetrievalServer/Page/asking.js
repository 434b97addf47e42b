// Asks the service questions about the open image, and shows the answers.

import { answer, isAbort } from "./api.js";
import { percent, say } from "./strings.js";

const find = (id) => document.getElementById(id);

/** The probability of an answer, whose score is its logarithm. */
const shareOf = ({ score }) => (Number.isFinite(score) ? Math.min(Math.exp(score), 1) : 0);

export class Asking {
  #item = null;
  #request = null;

  constructor() {
    find("asking-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const question = find("question").value.trim();
      if (question && this.#item) this.#ask(question);
    });
  }

  /** Offers questions if the service has a model that answers them. */
  know({ questions }) {
    find("asking").hidden = !questions;
  }

  /** Takes over the open image, to which the answers about another one do not apply. */
  show(item) {
    this.stop();
    this.#item = item;
    this.#tell(null);
    this.#list([]);
  }

  stop() {
    this.#request?.abort();
  }

  async #ask(question) {
    this.stop();
    const request = new AbortController();
    this.#request = request;
    this.#list([]);
    this.#tell(say("answering"));
    try {
      const { answers } = await answer(this.#item.id, question, request.signal);
      if (request.signal.aborted) return;
      const written = answers.filter(({ text }) => text.trim());
      this.#tell(written.length ? null : say("noAnswer"));
      this.#list(written);
    } catch (error) {
      if (!isAbort(error) && !request.signal.aborted) this.#tell(error.message, true);
    }
  }

  #tell(text, isBad = false) {
    find("asking-state").textContent = text ?? "";
    find("asking-state").hidden = !text;
    find("asking-state").classList.toggle("bad", isBad);
  }

  #list(answers) {
    find("asked").hidden = answers.length === 0;
    find("asking-hint").hidden = answers.length === 0;
    find("asked").replaceChildren(...answers.map((each) => {
      const entry = document.createElement("li");
      const text = document.createElement("span");
      const share = document.createElement("small");
      const track = document.createElement("i");
      const fill = document.createElement("i");
      text.dir = "auto";
      text.textContent = each.text;
      share.textContent = percent(shareOf(each));
      track.className = "track";
      fill.className = "fill";
      fill.style.width = `${100 * shareOf(each)}%`;
      track.append(fill);
      entry.append(text, " ", share, track);
      return entry;
    }));
  }
}
