// Answers: the results of a search, or the images of the gallery, as far as the page has fetched them.

import { getImage, getImages, search } from "./api.js";
import { isSearch, minimumOf, requestOf } from "./query.js";
import { hasProbability } from "./tile.js";

const firstPage = 64;
const largestPage = 1000;

/** The number of images to fetch next, which grows as the visitor scrolls. */
const usualPage = (answer) => Math.min(Math.max(answer.results.length, firstPage), 256);

/**
 * Fetches the first part of the answer to a query.
 *
 * An answer has `results`; `total`, the number of ranks, including folded images; `next`, the rank
 * after the last one fetched; `isResult`; `isReranked`, whether the results have two orders; `isDated`,
 * whether they are in the order of their dates; and `sort`, the name of that order.
 */
export async function ask(query, limits, signal) {
  if (!isSearch(query)) return browse(query, 0, firstPage, signal);
  const request = requestOf(query, limits);
  const found = await search(request, query.image?.file, signal);
  const isDated = query.sort !== "relevance";
  // A least probability and the order by date apply only to the images that were compared closely.
  const isWhole = isDated || minimumOf(query) > 0 || found.total === undefined;
  const total = isWhole ? found.results.length + foldedIn(found.results) : found.total;
  return {
    ...found,
    total,
    next: isWhole ? total : (found.next_offset ?? total),
    isResult: true,
    isReranked: found.reranked > 0 && found.results.some(hasProbability),
    isDated,
    sort: query.sort,
  };
}

const foldedIn = (results) => results.reduce((sum, { duplicates }) => sum + (duplicates?.length ?? 0), 0);

/** The number of images that are folded under the results fetched so far. */
export const foldedOf = (answer) => (answer.isResult ? foldedIn(answer.results) : 0);

/** The number of tiles of the whole answer; folded images, as far as fetched, have no tile. */
export const countOf = (answer) => Math.max(answer.total - foldedOf(answer), answer.results.length);

async function browse(query, offset, count, signal) {
  const { images, total } = await getImages({ offset, limit: count, ...asBrowsed(query) }, signal);
  const { sort } = query;
  return {
    results: images, total, next: offset + images.length,
    isResult: false, isReranked: false, isDated: sort !== "relevance", sort,
  };
}

/** The order and the conditions of a list of images. */
const asBrowsed = ({ sort, filters }) => ({ ...(sort === "relevance" ? {} : { sort }), where: filters });

/**
 * Fetches further images and adds them to the answer.
 *
 * @returns whether they arrived before the request was cancelled
 *
 * @param count the number of images to request; `usualPage` by default
 */
export async function extend(answer, query, limits, signal, count = usualPage(answer)) {
  const most = Math.min(count, largestPage, answer.isResult ? limits.results : largestPage);
  const more = answer.isResult
    ? await search({ ...requestOf(query, limits), count: most, offset: answer.next }, query.image?.file, signal)
    : await browse(query, answer.next, most, signal);
  if (signal.aborted) return false;
  const there = new Set(answer.results.map((item) => item.id));
  answer.results.push(...more.results.filter((item) => !there.has(item.id)));
  answer.total = more.total;
  // The service counts offsets in ranks, and a folded image has a rank too.
  answer.next = answer.isResult ? more.next_offset ?? answer.total : answer.next + more.results.length;
  // Images may have been removed from the gallery since the total was counted.
  if (more.results.length === 0) answer.total = answer.next;
  return true;
}

/** Whether the answer has images that the page has not fetched. */
export const hasMore = (answer) => answer.next < answer.total;

/** The items of an answer in the chosen order. */
export function ordered(answer, order) {
  if (!answer.isReranked || answer.isDated) return answer.results;
  const place = order === "recall" ? "recall_rank" : "rank";
  return [...answer.results].sort((a, b) => a[place] - b[place]);
}

/** The position of the first result that was not compared closely; -1 if there is no such result. */
export function breakOf(answer, order) {
  if (!answer.isReranked || answer.isDated || order === "recall") return -1;
  return answer.results.findIndex((item) => !hasProbability(item));
}

/**
 * Fetches the name of an image of which only the id is known, from the address.
 *
 * @returns whether the image got a name
 */
export async function learnName(image) {
  if (!image?.id || image.name) return false;
  try {
    image.name = (await getImage(image.id)).name;
    return true;
  } catch {
    // The search reports that there is no such image.
    return false;
  }
}
