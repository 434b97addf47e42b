// Switches between images in their own shapes and squares, and remembers the choice.

import { memory } from "./strings.js";

/** Calls back, now and at each switch, with whether images are squares. */
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
