// The queue of files to add to the gallery; it sends some at once while the others wait.

import { isAbort } from "./api.js";
import { sendImage } from "./writing.js";

const atOnce = 2;
const mostWaits = 5;

/** One file of the queue; `state` is "waiting", "sending", "done", "failed" or "cancelled". */
class Entry {
  state = "waiting";
  sent = 0;
  /** The problem that the service reported. */
  problem = null;
  /** The id of the added image. */
  image = null;
  work = null;
  waits = 0;

  constructor(file) {
    this.file = file;
    this.total = Math.max(file.size, 1);
  }

  get isOver() {
    return this.state !== "waiting" && this.state !== "sending";
  }
}

export class UploadQueue {
  entries = [];

  /** @param actions changed(entry), called when its state changes; finished(), called when nothing waits */
  constructor(actions) {
    this.actions = actions;
  }

  /** The number of entries in these states. */
  count(...states) {
    return this.entries.filter(({ state }) => states.includes(state)).length;
  }

  get isBusy() {
    return this.count("waiting", "sending") > 0;
  }

  /** The progress of the whole queue, from 0 to 1; failed entries count as done. */
  get share() {
    const total = this.entries.reduce((sum, entry) => sum + entry.total, 0);
    const sent = this.entries.reduce((sum, entry) => sum + (entry.isOver ? entry.total : entry.sent), 0);
    return total ? sent / total : 0;
  }

  add(files) {
    const added = [...files].map((file) => new Entry(file));
    this.entries.push(...added);
    added.forEach((entry) => this.actions.changed(entry));
    this.#next();
  }

  /** Retries an entry that failed or was cancelled. */
  retry(entry) {
    if (!entry.isOver || entry.state === "done") return;
    Object.assign(entry, { state: "waiting", sent: 0, problem: null, waits: 0 });
    this.actions.changed(entry);
    this.#next();
  }

  /** Cancels an entry, unless its image has been added. */
  cancel(entry) {
    if (entry.isOver) return;
    entry.work?.abort();
    this.#end(entry, "cancelled");
  }

  cancelAll() {
    for (const entry of this.entries) this.cancel(entry);
  }

  /** Removes the entries that have ended. */
  clear() {
    this.entries = this.entries.filter((entry) => !entry.isOver);
  }

  #next() {
    while (this.count("sending") < atOnce) {
      const entry = this.entries.find(({ state }) => state === "waiting");
      if (!entry) return;
      this.#send(entry);
    }
  }

  async #send(entry) {
    const work = new AbortController();
    Object.assign(entry, { state: "sending", work });
    this.actions.changed(entry);
    const progress = (sent, total) => {
      Object.assign(entry, { sent, total: Math.max(total, 1) });
      this.actions.changed(entry);
    };
    try {
      const image = await sendImage(entry.file, { signal: work.signal, progress });
      entry.image = image?.id ?? null;
      this.#end(entry, "done");
    } catch (error) {
      if (work.signal.aborted) return;
      // Without a key, the other files cannot be sent either.
      if (isAbort(error)) return this.cancelAll();
      if (error.retryAfter && entry.waits < mostWaits) return this.#wait(entry, error.retryAfter);
      entry.problem = error;
      this.#end(entry, "failed");
    }
  }

  /** Waits as long as the busy service asked. */
  #wait(entry, seconds) {
    entry.waits += 1;
    entry.sent = 0;
    this.actions.changed(entry);
    setTimeout(() => entry.state === "sending" && this.#send(entry), 1000 * seconds);
  }

  #end(entry, state) {
    Object.assign(entry, { state, work: null });
    this.actions.changed(entry);
    this.#next();
    if (!this.isBusy) this.actions.finished();
  }
}
