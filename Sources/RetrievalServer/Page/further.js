// The end of the grid: fetches more when it is near the window, or when the visitor asks for more.

import { isAbort } from "./api.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
// The distance of the end below the window at which to fetch more, in CSS pixels.
const nearness = 1500;

export class Further {
  #hasMore = false;
  #isGoing = false;
  #problem = null;

  /** @param load(isAsked): fetches and shows more; isAsked if the visitor asked for it; throws a problem */
  constructor(load) {
    this.load = load;
    const watch = new IntersectionObserver(() => this.#follow(), { rootMargin: `0px 0px ${nearness}px 0px` });
    watch.observe(find("further"));
    find("more").addEventListener("click", () => this.more(true));
    find("more").addEventListener("blur", () => this.#follow());
  }

  /** Whether the last attempt failed because the server could not be reached. */
  get isOffline() {
    return Boolean(this.#problem?.isOffline);
  }

  /** Shows whether the answer has more. */
  offer(hasMore) {
    this.#hasMore = hasMore;
    this.#problem = null;
    this.#write();
    this.#follow();
  }

  /** Writes all texts again. */
  rewrite() {
    this.#write();
  }

  /** Fetches more, one request at a time, even if a key repeats or a button is pressed twice. */
  async more(isAsked) {
    if (!this.#hasMore || this.#isGoing) return;
    this.#isGoing = true;
    this.#problem = null;
    this.#write();
    try {
      await this.load(isAsked);
    } catch (error) {
      if (!isAbort(error)) this.#problem = error;
    } finally {
      this.#isGoing = false;
      this.#write();
    }
    this.#follow();
  }

  /**
   * Fetches more if the end is near. After a problem it waits until the visitor asks. While the button has
   * the focus it does not fetch, because the button would move out of sight.
   */
  #follow() {
    if (this.#problem || !this.#hasMore || this.#isGoing || document.activeElement === find("more")) return;
    if (find("further").getBoundingClientRect().top < innerHeight + nearness) this.more(false);
  }

  #write() {
    find("further").hidden = !this.#hasMore;
    find("further").classList.toggle("bad", Boolean(this.#problem));
    find("further").setAttribute("aria-busy", String(this.#isGoing));
    find("more").textContent = say(this.#problem ? "retry" : this.#isGoing ? "loadingMore" : "more");
    find("more-problem").textContent = this.#problem ? say("moreFailed", this.#problem.message) : "";
  }
}
