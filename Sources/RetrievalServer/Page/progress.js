// Follows the index: its state every 2 seconds while pictures are added, every 15 otherwise.

import { getIndex, isAbort } from "./api.js";

const busy = 2000;
const calm = 15000;
const lost = 5000;

export class IndexFollower {
  #timer = 0;
  #request = null;

  /** @param actions know(index): what the index is now; lose(problem): it could not be asked */
  constructor(actions) {
    this.actions = actions;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#stop();
      else this.look();
    });
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }

  /** Asks now, and then again and again. */
  async look() {
    this.#stop();
    const request = new AbortController();
    this.#request = request;
    let pause = calm;
    try {
      const index = await getIndex(request.signal);
      if (index.indexing?.is_running) pause = busy;
      this.actions.know(index);
    } catch (error) {
      if (isAbort(error)) return;
      pause = Math.max(lost, 1000 * (error.retryAfter ?? 0));
      this.actions.lose(error);
    }
    if (request === this.#request && !document.hidden) this.#timer = setTimeout(() => this.look(), pause);
  }
}
