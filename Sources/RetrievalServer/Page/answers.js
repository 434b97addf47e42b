// Answers: the results of a search, or the images browsed so far.

import { getImage, getImages, search } from "./api.js";
import { hasProbability } from "./grid.js";
import { requestOf } from "./query.js";

/** The results of a search; `isReranked` where they have a second order. */
export async function ask(query, limits, signal) {
  const found = await search(requestOf(query, limits), query.image?.file, signal);
  return { ...found, isResult: true, isReranked: found.reranked > 0 && found.results.some(hasProbability) };
}

/** The images from `offset` on; `next` is the offset after them. */
export async function browse(offset, count, signal) {
  const { images, total } = await getImages(offset, count, signal);
  return { results: images, total, next: offset + images.length, isResult: false, isReranked: false };
}

/** Adds the images that come next; whether they came while they were still wanted. */
export async function extend(answer, count, signal) {
  const more = await browse(answer.next, count, signal);
  if (signal.aborted) return false;
  const there = new Set(answer.results.map((item) => item.id));
  answer.results.push(...more.results.filter((item) => !there.has(item.id)));
  answer.total = more.total;
  answer.next = more.results.length ? more.next : more.total;
  return true;
}

/** Whether there are images that were not fetched yet. */
export const hasMore = (answer) => !answer.isResult && answer.next < answer.total;

/** The items of an answer in the chosen order. */
export function ordered(answer, order) {
  const items = [...answer.results];
  if (!answer.isResult) return items;
  const place = order === "recall" && answer.isReranked ? "recall_rank" : "rank";
  return items.sort((a, b) => a[place] - b[place]);
}

/** Finds out the name of an image that only the address knows; whether it has one now. */
export async function learnName(image) {
  if (!image?.id || image.name) return false;
  try {
    image.name = (await getImage(image.id)).name;
    return true;
  } catch {
    // The search itself will say that there is no such image.
    return false;
  }
}
