// The panel of the folder: the indexed images, the last scan, and the skipped files with the reasons.

import { isAbort } from "./api.js";
import { fact } from "./description.js";
import { closes } from "./notices.js";
import { comma, currentLanguage, say } from "./strings.js";
import { scanNow } from "./writing.js";

const find = (id) => document.getElementById(id);
/** The folders that are always left out. */
const leftOut = [
  "@eaDir", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "__MACOSX", "lost+found", "node_modules",
];

/** The number of skipped files, including those of unsupported types. */
export function countSkipped({ skipped }) {
  return Object.values(skipped?.passed_over ?? {}).reduce((sum, count) => sum + count, skipped?.count ?? 0);
}

const scannedAt = ({ following, indexing }) => following?.scanned_at ?? indexing?.last_scan ?? null;

export class Folder {
  #index = null;
  #isAsking = false;

  /** @param actions scanned(): called when the service scans the folder, to request its state */
  constructor(actions) {
    this.actions = actions;
    closes("skipped");
    find("show-skipped").addEventListener("click", () => this.open());
    find("folder-scan").addEventListener("click", () => this.#scan());
    find("folder-excluded").replaceChildren(...leftOut.map((name) => {
      const entry = document.createElement("li");
      const code = document.createElement("code");
      code.textContent = name;
      entry.append(code);
      return entry;
    }));
  }

  /** Takes over the state of the index. */
  know(index) {
    this.#index = index;
    const skipped = countSkipped(index);
    const isFollowed = Boolean(index.indexing);
    find("show-skipped").hidden = skipped === 0 && !isFollowed;
    find("show-skipped").textContent = isFollowed
      ? [say("folder"), ...(skipped ? [say("skipped", skipped)] : [])].join(" · ")
      : say("skipped", skipped);
    if (find("skipped").open) this.#show();
  }

  /** Writes all texts again in the chosen language. */
  write() {
    if (this.#index) this.know(this.#index);
  }

  open() {
    if (!this.#index) return;
    find("folder-said").textContent = "";
    this.#show();
    find("skipped").showModal();
  }

  #show() {
    const { indexing, images, is_writable: isWritable } = this.#index;
    const isFollowed = Boolean(indexing);
    find("folder-state").hidden = !isFollowed;
    find("folder-rules").hidden = !isFollowed;
    find("skipped-title").textContent = say(isFollowed ? "folder" : "skippedTitle");
    if (isFollowed) this.#showState(indexing, images, isWritable);
    this.#showSkipped();
  }

  #showState(indexing, images, isWritable) {
    const { folder } = this.#index;
    const facts = [...(folder ? [[say("folder"), folder]] : []), [say("indexed"), say("about", images)]];
    if (indexing.is_running) facts.push([say("nowIndexing"), say("doneOf", indexing.done, indexing.total)]);
    facts.push([say("lastScan"), this.#when(scannedAt(this.#index))]);
    find("folder-facts").replaceChildren(...facts.map(([name, value]) => fact(name, value)));
    find("folder-trouble").hidden = !indexing.error;
    find("folder-trouble").textContent = indexing.error ? say("folderTrouble", indexing.error) : "";
    find("folder-bar").hidden = !indexing.is_running;
    find("folder-bar").max = Math.max(indexing.total, 1);
    find("folder-bar").value = indexing.done;
    find("folder-scan").hidden = !isWritable;
    find("folder-scan").disabled = this.#isAsking || indexing.is_running;
  }

  #when(moment) {
    const date = moment ? new Date(moment) : null;
    if (!date || Number.isNaN(date.valueOf())) return say("notYet");
    return date.toLocaleString(currentLanguage(), { dateStyle: "medium", timeStyle: "medium" });
  }

  #showSkipped() {
    const { count = 0, files = [], passed_over: kinds = {} } = this.#index.skipped ?? {};
    find("skipped-heading").hidden = countSkipped(this.#index) === 0 || find("folder-state").hidden;
    find("skipped-heading").textContent = say("skipped", countSkipped(this.#index));
    find("skipped-list").replaceChildren(...files.map(({ path, reason }) => {
      const item = document.createElement("li");
      const name = document.createElement("strong");
      const why = document.createElement("span");
      name.dir = "auto";
      name.textContent = path;
      why.textContent = reason;
      item.append(name, why);
      return item;
    }));
    const rest = count - files.length;
    find("skipped-rest").hidden = rest <= 0;
    find("skipped-rest").textContent = say("skippedRest", rest);
    const named = Object.entries(kinds).sort(([, a], [, b]) => b - a).map(([kind, number]) => `${number} × ${kind}`);
    find("skipped-kinds").hidden = named.length === 0;
    find("skipped-kinds").textContent = say("skippedKinds", named.join(comma()));
  }

  async #scan() {
    this.#isAsking = true;
    find("folder-scan").disabled = true;
    const said = find("folder-said");
    said.classList.remove("bad");
    said.textContent = say("scanning");
    try {
      await scanNow();
      said.textContent = say("scanAsked");
    } catch (error) {
      said.textContent = isAbort(error) ? "" : error.message;
      said.classList.toggle("bad", !isAbort(error));
    } finally {
      this.#isAsking = false;
      find("folder-scan").disabled = false;
      this.actions.scanned();
    }
  }
}

