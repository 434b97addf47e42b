// How much room the grid and what stands in it take.

/**
 * The room for a layout.
 *
 * @param style what the grid shows: order, isCalibrated, and breakAt with breakText, if a line stands
 *   between results of two kinds
 * @param hasMatches whether something has a match probability
 * @returns what `layOut` takes
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

/** How high what stands below an image is, as the visitor's fonts have it. */
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

/** How high a row is to be, or how wide a square at least. */
function targetOf(width, rem, isSquare) {
  if (isSquare) return width < 40 * rem ? 8 * rem : 13 * rem;
  return Math.min(Math.max(0.42 * width, 8 * rem), 14 * rem);
}

/** The line between results of two kinds; null where there is none. */
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
