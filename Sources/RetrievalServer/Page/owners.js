// The owner of an image's file, which decides what deleting the image removes.

let places = { uploads: null, folder: null };

/** Takes over the folder of clients' files and the followed folder from the index. */
export function knowPlaces({ uploads = null, folder = null }) {
  places = { uploads, folder };
}

const isIn = (path, folder) => Boolean(folder) && path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);

/**
 * The owner of an image's file: "client", if it is deleted with the image; "folder", if it lies in the followed
 * folder and can be removed only there; "other", if it stays; null if the owner is unknown.
 */
export function ownerOf({ path }) {
  if (!path || !places.uploads) return null;
  if (isIn(path, places.uploads)) return "client";
  return isIn(path, places.folder) ? "folder" : "other";
}

/** The items of a list, by owner. */
export function byOwner(items) {
  const sorted = { client: [], folder: [], other: [], unknown: [] };
  for (const item of items) sorted[ownerOf(item) ?? "unknown"].push(item);
  return sorted;
}
