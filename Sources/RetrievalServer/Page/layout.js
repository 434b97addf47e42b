// The layout of a grid's tiles: rows of images in their own shapes, or squares.

/** The bounds of the shapes; longer images are cropped, so that each has room for its caption. */
const narrowest = 0.5;
const widest = 3;

const bounded = (ratio) => Math.min(Math.max(ratio, narrowest), widest);

/** The width of an image divided by its height: from the service, from the loaded image, or a guess. */
export function ratioOf(item, learned) {
  const { width, height } = item.about ?? {};
  const known = width > 0 && height > 0 ? width / height : learned.get(item.id);
  return { ratio: bounded(known ?? 4 / 3), isKnown: known !== undefined, whole: known ?? 4 / 3 };
}

/**
 * Lays tiles out in rows, from top to bottom.
 *
 * @param ratios the width of each image divided by its height
 * @param space width: of the grid; gap: {x, y}, between tiles and between rows; target: the wanted height of
 *   a row; caption: the height of the text below each image; isSquare; breakAt: the tile before which a line
 *   stands, or -1; breakHeight: the height of that line. Lengths are in CSS pixels.
 * @returns {rows: [{first, end, top, tall}], height, breakTop}; `end` is the position after the last tile
 */
export function layOut(ratios, space) {
  const rows = [];
  let top = 0;
  let breakTop = -1;
  const add = (first, end, tall) => {
    rows.push({ first, end, top, tall });
    top += tall + space.caption + space.gap.y;
  };
  const fill = (first, end) => (space.isSquare ? squares(first, end, space, add) : justify(ratios, first, end, space, add));
  const cut = space.breakAt > 0 && space.breakAt < ratios.length ? space.breakAt : ratios.length;
  fill(0, cut);
  if (cut < ratios.length) {
    breakTop = top;
    top += space.breakHeight;
    fill(cut, ratios.length);
  }
  return { rows, height: Math.max(top - space.gap.y, 0), breakTop };
}

/** The number of squares in a row. */
const columnsOf = ({ width, gap, target }) => Math.max(Math.floor((width + gap.x) / (target + gap.x)), 2);

function squares(first, end, space, add) {
  const columns = columnsOf(space);
  const side = (space.width - (columns - 1) * space.gap.x) / columns;
  for (let place = first; place < end; place += columns) add(place, Math.min(place + columns, end), side);
}

/** Adds images to a row until its height is close to the target; the last row has the target height. */
function justify(ratios, first, end, { width, gap, target }, add) {
  let start = first;
  let sum = 0;
  const tallOf = (count, total) => (width - (count - 1) * gap.x) / total;
  for (let place = first; place < end; place += 1) {
    const before = sum;
    sum += ratios[place];
    const tall = tallOf(place + 1 - start, sum);
    if (tall > target) continue;
    const without = place > start ? tallOf(place - start, before) : Infinity;
    if (without - target < target - tall) {
      add(start, place, without);
      start = place;
      sum = ratios[place];
      // An image as wide as the grid has a row to itself.
      if (tallOf(1, sum) > target) continue;
      add(start, place + 1, tallOf(1, sum));
    } else {
      add(start, place + 1, tall);
    }
    start = place + 1;
    sum = 0;
  }
  if (start < end) add(start, end, Math.min(tallOf(end - start, sum), target));
}

/** The left edges and widths of a row's tiles. */
export function boxesOf(row, ratios, space) {
  let left = 0;
  return Array.from({ length: row.end - row.first }, (_, step) => {
    const width = space.isSquare ? row.tall : row.tall * ratios[row.first + step];
    const box = { left, width };
    left += width + space.gap.x;
    return box;
  });
}

/** The index of the last row that begins at or above `y`. */
export function rowAt(rows, y) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (rows[middle].top <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The index of the row that holds a tile. */
export function rowOf(rows, index) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (rows[middle].first <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}
