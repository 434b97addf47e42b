// Sends requests to the server, and converts its refusals to problems for people.

import { credentials } from "./access.js";
import { say } from "./strings.js";

// The answers of proxies do not name the kind of problem; these statuses do.
const kinds = {
  400: "invalid-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 413: "too-large",
  429: "rate-limited", 503: "unavailable", 504: "timed-out",
};

/** Why a request failed: the server's problem document, or that the server cannot be reached. */
export class Problem extends Error {
  constructor({ status = 0, type, title, detail, retryAfter = null }) {
    super(detail);
    this.status = status;
    /** The kind that the problem document names, such as "empty-text". */
    this.kind = /^urn:albef:problem:(.+)$/.exec(type ?? "")?.[1] ?? kinds[status] ?? null;
    this.title = title;
    /** Seconds to wait before the next try; null if the server named no time. */
    this.retryAfter = retryAfter;
  }

  get isOffline() {
    return this.status === 0;
  }
}

export const isAbort = (error) => error?.name === "AbortError";

function waitOf(response) {
  const field = response.headers.get("Retry-After");
  if (!field) return null;
  const seconds = /^\d+$/.test(field.trim()) ? Number(field) : (Date.parse(field) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 1), 600) : null;
}

/** The problem that an answer reports. */
export const problemOf = (status, document, retryAfter = null) =>
  new Problem({
    status,
    type: document?.type,
    title: document?.title,
    detail: document?.detail || say("status", status),
    retryAfter,
  });

async function jsonOf(response) {
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    return null;
  }
}

/**
 * Sends a request and returns the response.
 *
 * Throws a `Problem` if the server refuses or cannot be reached.
 */
export async function request(path, options = {}) {
  let response;
  try {
    const headers = { ...credentials(), ...options.headers };
    response = await fetch(path, { ...options, headers, credentials: "same-origin" });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem({ detail: say("offlineHint") });
  }
  if (response.ok) return response;
  throw problemOf(response.status, await jsonOf(response), waitOf(response));
}

async function ask(path, options) {
  const response = await request(path, options);
  const answer = await jsonOf(response);
  if (answer) return answer;
  throw new Problem({ status: response.status, detail: say("garbled") });
}

const post = (path, body, signal) =>
  ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    signal,
  });

export const getIndex = (signal) => ask("api/index", { signal, cache: "no-store" });

/** Lists images from `offset` on that fulfil the conditions of `where`. */
export function getImages({ offset, limit, sort, where = [] }, signal) {
  const fields = new URLSearchParams({ offset, limit, ...(sort ? { sort } : {}) });
  for (const condition of where) fields.append("where", condition);
  // The service does not read a plus as a space.
  return ask(`api/images?${String(fields).replaceAll("+", "%20")}`, { signal });
}

/** The years, cameras, folders and shapes that conditions can name, each with its number of images. */
export const getFacets = (signal) => ask("api/facets", { signal });

export const getImage = (id, signal) => ask(`api/images/${encodeURIComponent(id)}`, { signal });

// The number of times that this page replaced each image. A replaced image keeps its id, and for a minute the browser
// answers from its cache without asking the service. So each replacement changes how the page spells the id: %61
// is the letter a to the service, but another address to the cache. A reloaded page still needs the count.
const renewals = storedRenewals();

function storedRenewals() {
  try {
    return new Map(JSON.parse(sessionStorage.getItem("albef.renewals") ?? "[]"));
  } catch {
    return new Map();
  }
}

/** The spelling of an id in addresses: each bit of the number of replacements percent-encodes a character or not. */
function spelled(id) {
  const count = renewals.get(id) ?? 0;
  const code = (sign) => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return [...id].map((sign, place) => ((count >> place) & 1 ? code(sign) : encodeURIComponent(sign))).join("");
}

export const thumbnail = (id, side) => `api/images/${spelled(id)}/thumbnail?side=${side}`;

export const original = (id) => `api/images/${spelled(id)}/original`;

/** Records that an image was replaced: its addresses change, and its explanations are requested again. */
export function renew(id) {
  renewals.set(id, (renewals.get(id) ?? 0) + 1);
  try {
    sessionStorage.setItem("albef.renewals", JSON.stringify([...renewals]));
  } catch {
    // Some browsers refuse storage. After a reload, the cache may then answer for a minute.
  }
  for (const key of explained.keys()) if (key.startsWith(`${id} `)) explained.delete(key);
}

/** Searches; `file` is an image to search with. */
export function search(fields, file, signal) {
  if (!file) return post("api/search", fields, signal);
  const form = new FormData();
  form.append("query", JSON.stringify(fields));
  form.append("image", file, file.name || "image");
  return ask("api/search", { method: "POST", body: form, signal });
}

/** Asks a question about an image. */
export const answer = (image, question, signal) => post("api/answer", { image, question }, signal);

/** Requests the place in an image to which a text refers. */
export const locate = (image, text, signal) => post("api/locate", { image, text }, signal);

const explained = new Map();

/** Requests where the model found the words of a text in an image, and keeps the last 64 answers. */
export async function explain(image, text, signal) {
  const key = `${image} ${text}`;
  if (!explained.has(key)) {
    const answer = await post("api/explain", { image, text }, signal);
    explained.set(key, answer);
    if (explained.size > 64) explained.delete(explained.keys().next().value);
  }
  return explained.get(key);
}
