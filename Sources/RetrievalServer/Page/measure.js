// Measures the grid and its parts.

/**
 * Measures the space for a layout.
 *
 * @param style of the grid: order, isCalibrated, and, if a line separates results that were compared closely
 *   from others, breakAt and breakText
 * @param hasMatches whether an item has a match probability
 * @returns the space that `layOut` accepts
 */
export function spaceOf(list, style, isSquare, hasMatches) {
  const { columnGap, rowGap, width } = getComputedStyle(list);
  const across = parseFloat(width) || 1;
  const line = lineIn(list, style);
  return {
    width: across,
    gap: { x: parseFloat(columnGap) || 0, y: parseFloat(rowGap) || 0 },
    caption: captionIn(list, style, hasMatches),
    isSquare,
    target: targetOf(across, parseFloat(getComputedStyle(document.documentElement).fontSize), isSquare),
    breakAt: line ? style.breakAt : -1,
    breakHeight: line?.offsetHeight ?? 0,
  };
}

/** The height of the caption below an image in the visitor's fonts. */
function captionIn(list, { order, isCalibrated }, hasMatches) {
  const probe = document.getElementById("tile").content.firstElementChild.cloneNode(true);
  probe.classList.add("probe");
  probe.classList.toggle("result", Boolean(order));
  probe.querySelector(".track").hidden = !isCalibrated || !hasMatches;
  probe.querySelectorAll(".place, .value, .name").forEach((part) => { part.textContent = "0"; });
  list.append(probe);
  const height = probe.querySelector(".open").offsetHeight;
  probe.remove();
  return height;
}

/** The wanted height of a row, or the least width of a square. */
function targetOf(width, rem, isSquare) {
  if (isSquare) return width < 40 * rem ? 8 * rem : 13 * rem;
  return Math.min(Math.max(0.42 * width, 8 * rem), 14 * rem);
}

/** The line between results that were compared closely and others; null if there is none. */
function lineIn(list, { breakAt, breakText }) {
  let line = list.querySelector(".break");
  if (!(breakAt > 0)) {
    line?.remove();
    return null;
  }
  if (!line) {
    line = document.createElement("li");
    line.className = "break";
    list.append(line);
  }
  line.textContent = breakText;
  return line;
}
