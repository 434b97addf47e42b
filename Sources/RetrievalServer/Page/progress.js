// Follows the index and shows its state: every 2 seconds while images are added or there are none
// yet, every 15 otherwise.

import { getIndex, isAbort } from "./api.js";
import { say } from "./strings.js";

const busy = 2000;
const calm = 15000;
const lost = 5000;
const find = (id) => document.getElementById(id);

export class IndexFollower {
  #timer = 0;
  #request = null;

  /**
   * @param actions know(index), called with the state of the index; lose(problem), called if a request
   *   failed, which is repeated unless this returns false
   */
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

  /** Requests the state now, and then at intervals. */
  async look() {
    this.#stop();
    const request = new AbortController();
    this.#request = request;
    let pause = calm;
    try {
      const index = await getIndex(request.signal);
      if (index.indexing?.is_running || index.change || index.images === 0) pause = busy;
      this.actions.know(index);
    } catch (error) {
      if (isAbort(error)) return;
      pause = Math.max(lost, 1000 * (error.retryAfter ?? 0));
      if (this.actions.lose(error) === false) return;
    }
    if (request === this.#request && !document.hidden) this.#timer = setTimeout(() => this.look(), pause);
  }
}

/** Shows the progress of indexing, the number of images, and the descriptions of the models. */
export function showIndex({ images, model, indexing, change }) {
  find("indexing").hidden = !indexing?.is_running && !change;
  if (indexing?.is_running) {
    const failed = indexing.failed ? ` · ${say("indexFailed", indexing.failed)}` : "";
    find("indexing-text").textContent = say("indexing", indexing.done, indexing.total) + failed;
    find("indexing-bar").max = Math.max(indexing.total, 1);
    find("indexing-bar").value = indexing.done;
  } else if (change) {
    find("indexing-text").textContent = say("changing", change.model, change.encoded, change.images);
    find("indexing-bar").max = Math.max(change.images, 1);
    find("indexing-bar").value = change.encoded;
  }
  const parts = [say("about", images)];
  if (model?.recall) parts.push(say("models", model.recall.name, model.name));
  else if (model && !model.knows) parts.push(say("model", model.name));
  const known = [model, model?.recall].filter((each) => each?.knows).map(({ name, knows }) => `${name}: ${knows}`);
  find("knows").textContent = known.join(" · ");
  find("knows").hidden = known.length === 0;
  find("about").textContent = parts.join(" · ");
}
