// Whose an image's file is, which decides what deleting it removes.

let places = { uploads: null, folder: null };

/** Knows from the index where clients' files are kept, and which folder is followed. */
export function knowPlaces({ uploads = null, folder = null }) {
  places = { uploads, folder };
}

const isIn = (path, folder) => Boolean(folder) && path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

/**
 * Whose an image's file is: "client", sent here and deleted with the image; "folder", of the folder that is
 * followed, from which alone it can be removed; "other", a file that stays; null where nobody knows.
 */
export function ownerOf({ path }) {
  if (!path || !places.uploads) return null;
  if (isIn(path, places.uploads)) return "client";
  return isIn(path, places.folder) ? "folder" : "other";
}

/** Those of a list that belong to each owner. */
export function byOwner(items) {
  const sorted = { client: [], folder: [], other: [], unknown: [] };
  for (const item of items) sorted[ownerOf(item) ?? "unknown"].push(item);
  return sorted;
}
