// The keyboard shortcuts of the page, and their list.

import { closes } from "./notices.js";
import { memory, say } from "./strings.js";

const find = (id) => document.getElementById(id);

export class Keys {
  #isOn = memory.get("single-keys") !== "off";

  /** @param actions switchOrder(), similar(), select(), toggleHeat(); view(key), which returns whether the key was used */
  constructor(actions) {
    this.actions = actions;
    find("show-keys").addEventListener("click", () => find("keys").showModal());
    closes("keys");
    find("single-keys").checked = this.#isOn;
    find("single-keys").addEventListener("change", (event) => {
      this.#isOn = event.target.checked;
      memory.set("single-keys", this.#isOn ? "on" : "off");
    });
    addEventListener("keydown", (event) => this.#press(event));
  }

  /** Writes the list of shortcuts. */
  write() {
    find("key-list").replaceChildren(...say("keyList").map(([key, meaning]) => {
      const group = document.createElement("div");
      const term = document.createElement("dt");
      const detail = document.createElement("dd");
      const cap = document.createElement("kbd");
      cap.textContent = key;
      term.append(cap);
      detail.textContent = meaning;
      group.append(term, detail);
      return group;
    }));
  }

  #press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !this.#isOn) return;
    if (event.target.closest("input:not([type=range], [type=checkbox]), textarea, select")) return;
    const isModal = document.querySelector("dialog:modal");
    const acts = {
      "/": () => {
        if (isModal) return;
        find("text").focus();
        find("text").select();
      },
      "?": () => !isModal && find("keys").showModal(),
      o: () => !isModal && this.actions.switchOrder(),
      s: () => !isModal && event.target.closest(".tile") && this.actions.similar(),
      x: () => !isModal && event.target.closest(".tile") && this.actions.select(),
      h: () => this.actions.toggleHeat(),
    };
    const act = acts[event.key];
    if (act) act();
    else if (!this.actions.view(event.key)) return;
    event.preventDefault();
  }
}
