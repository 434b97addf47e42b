// Moves tiles smoothly to their new positions, unless the visitor prefers reduced motion.

const stillness = matchMedia("(prefers-reduced-motion: reduce)");
const manner = { duration: 460, easing: "cubic-bezier(.2, .8, .2, 1)" };

/** The present positions of tiles; null if nothing should move. */
export const placesOf = (tiles) =>
  (stillness.matches ? null : new Map([...tiles].map(([id, tile]) => [id, tile.getBoundingClientRect()])));

/** Moves tiles from their former positions, and fades in new ones. */
export function glide(tiles, before) {
  const after = placesOf(tiles) ?? new Map();
  for (const [id, tile] of tiles) {
    tile.getAnimations().forEach((animation) => animation.cancel());
    const from = before.get(id);
    const to = after.get(id);
    if (!from) {
      tile.animate([{ opacity: 0 }, { opacity: 1 }], manner);
    } else if (to && (from.x !== to.x || from.y !== to.y)) {
      const start = `translate(${from.x - to.x}px, ${from.y - to.y}px)`;
      tile.animate([{ transform: start }, { transform: "none" }], manner);
    }
  }
}
