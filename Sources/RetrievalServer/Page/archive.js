// Downloads: one image's original, or many in one archive.

import { original, request } from "./api.js";
import { saveFile, saveFrom, today } from "./saving.js";

/** As many images as the service puts into one archive. */
export const mostInArchive = 1000;

/** Downloads one image's original under its name. */
export const downloadOne = (item) => saveFrom(original(item.id), item.name);

/** The parts that a list is downloaded in, each an archive. */
export function partsOf(items, most = mostInArchive) {
  const parts = [];
  for (let start = 0; start < items.length; start += most) parts.push(items.slice(start, start + most));
  return parts;
}

/** Bytes that the files have, where all of them are known; else null. */
export const bytesOf = (items) =>
  (items.every(({ size }) => Number.isFinite(size)) ? items.reduce((sum, { size }) => sum + size, 0) : null);

/**
 * Downloads many images in one archive, or in several where one may not have as many.
 *
 * @param progress(received, total): bytes; total is null where nobody knows it
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
