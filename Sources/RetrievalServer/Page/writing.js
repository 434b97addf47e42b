// Requests that change the gallery. They need the writers' key, which is asked for when one is made
// and kept in memory alone.

import { credentials } from "./access.js";
import { Problem, isAbort, problemOf, request } from "./api.js";
import { KeyPrompt } from "./keyprompt.js";
import { say } from "./strings.js";

let key = null;
/** The answer to the prompt that is open; requests that come meanwhile wait for the same. */
let asking = null;
const prompt = new KeyPrompt();

const abort = () => new DOMException("no key was given", "AbortError");

function askForKey(wasRefused) {
  asking ??= prompt.ask(wasRefused).finally(() => { asking = null; });
  return asking;
}

/**
 * Sends with the key, and asks for it as long as the service refuses it.
 *
 * @param send(headers): the request; throws a problem
 * @throws AbortError if the visitor gives no key
 */
export async function withKey(send) {
  // Whoever reads with the writers' key is not asked again.
  let isUnsure = key === null && Boolean(credentials().Authorization);
  let wasRefused = false;
  for (;;) {
    if (key === null && !isUnsure) {
      const given = await askForKey(wasRefused);
      if (given === null) throw abort();
      key = given;
    }
    const sent = key;
    try {
      return await send(sent === null ? {} : { Authorization: `Bearer ${sent}` });
    } catch (error) {
      if (isAbort(error) || error.kind !== "unauthorized") throw error;
      isUnsure = false;
      wasRefused = sent !== null;
      // Another request may have been given a better one meanwhile.
      if (key === sent) key = null;
    }
  }
}

/** Removes an image. */
export const removeImage = (id, signal) =>
  withKey((headers) => request(`api/images/${encodeURIComponent(id)}`, { method: "DELETE", headers, signal }));

/** Has the service look through the folder now. */
export const scanNow = () => withKey((headers) => request("api/scan", { method: "POST", headers }));

/**
 * Sends an image's file: a new image, or in place of the image of an id.
 *
 * @param progress(sent, total): bytes
 */
export const sendImage = (file, { id, signal, progress }) =>
  withKey((headers) => upload(file, { id, headers, signal, progress }));

// `fetch` does not say how much it has sent.
function upload(file, { id, headers, signal, progress }) {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    const path = id ? `api/images/${encodeURIComponent(id)}` : "api/images";
    sender.open(id ? "PUT" : "POST", path);
    for (const [name, value] of Object.entries({ ...credentials(), ...headers })) sender.setRequestHeader(name, value);
    sender.responseType = "json";
    sender.upload.addEventListener("progress", ({ loaded, total }) => progress?.(loaded, total));
    const stop = () => sender.abort();
    signal?.addEventListener("abort", stop);
    sender.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
    sender.addEventListener("abort", () => reject(signal?.reason ?? abort()));
    sender.addEventListener("error", () => reject(new Problem({ detail: say("offlineHint") })));
    sender.addEventListener("load", () => {
      if (sender.status >= 200 && sender.status < 300) return resolve(sender.response);
      const wait = Number(sender.getResponseHeader("Retry-After"));
      reject(problemOf(sender.status, sender.response, wait > 0 ? Math.min(wait, 600) : null));
    });
    if (signal?.aborted) return reject(signal.reason);
    const form = new FormData();
    form.append("image", file, file.name || "image");
    sender.send(form);
  });
}
