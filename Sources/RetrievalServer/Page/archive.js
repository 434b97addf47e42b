// Downloads: one image's original, or many in one archive.

import { original, request } from "./api.js";
import { saveFile, saveFrom, today } from "./saving.js";

/** The most images that the service puts into one archive. */
export const mostInArchive = 1000;

/** Downloads one image's original under its name. */
export const downloadOne = (item) => saveFrom(original(item.id), item.name);

/** Splits a list into parts of one archive each. */
export function partsOf(items, most = mostInArchive) {
  const parts = [];
  for (let start = 0; start < items.length; start += most) parts.push(items.slice(start, start + most));
  return parts;
}

/** The sum of the files' sizes in bytes; null if one is unknown. */
export const bytesOf = (items) =>
  (items.every(({ size }) => Number.isFinite(size)) ? items.reduce((sum, { size }) => sum + size, 0) : null);

/**
 * Downloads images in one archive, or in several if one cannot hold them.
 *
 * @param progress(received, total): in bytes; total is null if it is unknown
 */
export async function downloadMany(items, { progress, signal }) {
  const parts = partsOf(items);
  const total = bytesOf(items);
  let before = 0;
  for (const [index, part] of parts.entries()) {
    const archive = await fetchArchive(part, signal, (received) => {
      // An archive is a little larger than its files.
      progress(total === null ? before + received : Math.min(before + received, total), total);
    });
    before += archive.size;
    saveFile(archive, `albef-${today()}${parts.length > 1 ? `-${index + 1}` : ""}.zip`);
  }
}

async function fetchArchive(items, signal, progress) {
  const response = await request("api/archive", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/zip" },
    body: JSON.stringify({ ids: items.map(({ id }) => id) }),
    signal,
  });
  const reader = response.body.getReader();
  const pieces = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    received += value.length;
    progress(received);
  }
  return new Blob(pieces, { type: "application/zip" });
}
