// Sends requests that change the gallery. They need the key for writing, for which the page asks at the first
// request and which it keeps only in memory.

import { credentials } from "./access.js";
import { Problem, isAbort, problemOf, request } from "./api.js";
import { KeyPrompt } from "./keyprompt.js";
import { say } from "./strings.js";

let key = null;
/** The answer to the open prompt, which is shared by all requests that wait for it. */
let asking = null;
const prompt = new KeyPrompt();

const abort = () => new DOMException("no key was given", "AbortError");

function askForKey(wasRefused) {
  asking ??= prompt.ask(wasRefused).finally(() => { asking = null; });
  return asking;
}

/**
 * Sends a request with the key, and asks for the key until the service accepts it.
 *
 * @param send(headers): the request; throws a problem
 * @throws AbortError if the visitor gives no key
 */
export async function withKey(send) {
  // The key for reading may be the key for writing, so try it first.
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
      // Another request may have obtained a valid key meanwhile.
      if (key === sent) key = null;
    }
  }
}

/** Removes an image. */
export const removeImage = (id, signal) =>
  withKey((headers) => request(`api/images/${encodeURIComponent(id)}`, { method: "DELETE", headers, signal }));

/** Makes the service scan the folder now. */
export const scanNow = () => withKey((headers) => request("api/scan", { method: "POST", headers }));

/**
 * Sends an image file, as a new image or as the replacement of an image.
 *
 * @param progress(sent, total): in bytes
 */
export const sendImage = (file, { id, signal, progress }) =>
  withKey((headers) => upload(file, { id, headers, signal, progress }));

// This uses XMLHttpRequest, because `fetch` does not report the progress of sending.
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
