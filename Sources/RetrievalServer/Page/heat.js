// Draws a small heat map over an image.

// Nine colours of Inferno (Smith and van der Walt, 2015), whose brightness grows evenly from cool to hot.
const ramp = [
  [0, 0, 4], [31, 12, 72], [87, 16, 110], [138, 34, 106], [188, 55, 84],
  [228, 90, 49], [249, 142, 9], [249, 203, 53], [252, 255, 164],
];
const opacity = 0.74;
const longestSide = 320;

function colour(heat) {
  const place = Math.min(heat, 1) * (ramp.length - 1);
  const lower = Math.min(Math.floor(place), ramp.length - 2);
  return ramp[lower].map((value, channel) => value + (place - lower) * (ramp[lower + 1][channel] - value));
}

/** Resamples a row of numbers with a cubic B-spline, which shows no edges between patches. */
function spread(values, count) {
  const at = (index) => values[Math.min(Math.max(index, 0), values.length - 1)];
  return Float32Array.from({ length: count }, (_, index) => {
    const place = ((index + 0.5) / count) * values.length - 0.5;
    const left = Math.floor(place);
    const t = place - left;
    const u = 1 - t;
    return (
      (u * u * u * at(left - 1) + (3 * t * t * t - 6 * t * t + 4) * at(left) +
        (3 * u * u * u - 6 * u * u + 4) * at(left + 1) + t * t * t * at(left + 2)) / 6
    );
  });
}

/** Enlarges a map and scales its maximum to 1; null if it has no heat. */
export function enlarge(map, width, height) {
  const rows = map.map((row) => spread(row, width));
  const heat = new Float32Array(width * height);
  for (let x = 0; x < width; x += 1) {
    const column = spread(rows.map((row) => row[x]), height);
    for (let y = 0; y < height; y += 1) heat[y * width + x] = column[y];
  }
  const peak = heat.reduce((most, value) => Math.max(most, value), 0);
  return peak > 0 ? heat.map((value) => value / peak) : null;
}

/**
 * Draws a map into a canvas that is stretched over the image.
 *
 * @param map the rows of numbers, from top to bottom
 * @param strength the factor of its opacity, from 0 to 1
 * @param ratio the image's width divided by its height
 */
export function drawHeat(canvas, map, strength, ratio) {
  canvas.width = Math.round(ratio >= 1 ? longestSide : longestSide * ratio) || 1;
  canvas.height = Math.round(ratio >= 1 ? longestSide / ratio : longestSide) || 1;
  const context = canvas.getContext("2d");
  const heat = map?.length ? enlarge(map, canvas.width, canvas.height) : null;
  if (!heat) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const levels = Array.from({ length: 256 }, (_, level) => [
    ...colour(level / 255),
    opacity * strength * level,
  ]);
  heat.forEach((value, index) => image.data.set(levels[Math.round(value * 255)], 4 * index));
  context.putImageData(image, 0, 0);
}

export function clearHeat(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}
