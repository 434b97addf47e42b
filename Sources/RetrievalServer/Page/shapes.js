// Whether images are shown in their own shapes or as squares; the choice is remembered.

import { memory } from "./strings.js";

/** Tells, now and whenever the visitor switches, whether images are to be squares. */
export function followShapes(tell) {
  const control = document.getElementById("squares");
  const write = (isSquare) => {
    control.setAttribute("aria-pressed", String(isSquare));
    tell(isSquare);
  };
  control.addEventListener("click", () => {
    const isSquare = control.getAttribute("aria-pressed") !== "true";
    memory.set("shapes", isSquare ? "squares" : "own");
    write(isSquare);
  });
  write(memory.get("shapes") === "squares");
}
