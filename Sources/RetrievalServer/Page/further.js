// What stands at the end of the grid: more comes when it is near, or when somebody asks for it.

import { isAbort } from "./api.js";
import { say } from "./strings.js";

const find = (id) => document.getElementById(id);
// How far below what is in sight the end is when more is fetched, in CSS pixels.
const nearness = 1500;

export class Further {
  #hasMore = false;
  #isGoing = false;
  #problem = null;

  /** @param load fetches and shows more; gets whether somebody asked for it, throws what went wrong */
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

  /** Says whether there is more. */
  offer(hasMore) {
    this.#hasMore = hasMore;
    this.#problem = null;
    this.#write();
    this.#follow();
  }

  /** Writes what is said here anew. */
  rewrite() {
    this.#write();
  }

  /** Fetches more, once at a time: keys repeat, and buttons are pressed twice. */
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
   * Fetches more where the end is near; after a problem only if somebody asks, and not while the
   * button has the focus, which would be moved out of sight.
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
