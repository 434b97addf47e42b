// The search page: asks, shows what came, and keeps the address, the form and the grid in step.

import { getImage, getImages, isAbort, search } from "./api.js";
import { Grid, hasProbability } from "./grid.js";
import {
  announce, button, clearNotes, complain, countDown, hideTrouble, note, showNotes, showTrouble,
} from "./notices.js";
import { IndexFollower } from "./progress.js";
import { QueryForm, isSearch, minimumOf, readAddress, requestOf, writeAddress } from "./query.js";
import {
  currentLanguage, languages, memory, percent, preferredLanguage, say, setLanguage, translate,
} from "./strings.js";
import { Viewer } from "./viewer.js";

const pageSize = 24;
const find = (id) => document.getElementById(id);

let query = readAddress();
/** The answer to the query, or the pictures browsed so far; null before either came. */
let answer = null;
let shown = pageSize;
let index = null;
let trouble = null;
let request = null;
let waits = 0;
let hasSingleKeys = memory.get("single-keys") !== "off";

const grid = new Grid(find("grid"), { open, similar, more });
const viewer = new Viewer({ close: leave, similar });
const form = new QueryForm({ change, complain });
const follower = new IndexFollower({ know, lose });

// What was asked

function change(part, replaces = false) {
  go({ ...query, ...part }, replaces);
}

function similar(item) {
  change({ text: "", image: { id: item.id, name: item.name } });
}

function go(next, replaces) {
  const wasSearch = isSearch(query);
  query = next;
  writeAddress(query, replaces || (!wasSearch && !isSearch(query)));
  waits = 0;
  if (!replaces) scrollTo({ top: 0 });
  run();
}

/** Asks for what the query says; an answer to an earlier query is not waited for. */
async function run({ isQuiet = false } = {}) {
  request?.abort();
  const mine = new AbortController();
  request = mine;
  trouble = null;
  hideTrouble();
  form.show(query);
  begin();
  try {
    const next = isSearch(query) ? await ask(mine.signal) : await browse(0, mine.signal);
    if (mine.signal.aborted) return;
    answer = next;
    shown = pageSize;
    waits = 0;
    show();
    if (!isQuiet) announceAnswer();
  } catch (error) {
    if (isAbort(error) || mine.signal.aborted) return;
    fail(error);
  } finally {
    if (request === mine) find("grid").setAttribute("aria-busy", "false");
  }
}

async function ask(signal) {
  const found = await search(requestOf(query), query.image?.file, signal);
  return { ...found, isResult: true, isReranked: found.reranked > 0 && found.results.some(hasProbability) };
}

async function browse(offset, signal) {
  const page = await getImages(offset, pageSize, signal);
  return { results: page.images, total: page.total, isResult: false, isReranked: false };
}

/** Results of the same kind stay, pale, until the next come; otherwise places are kept for them. */
function begin() {
  const list = find("grid");
  list.setAttribute("aria-busy", "true");
  if (answer?.isResult !== isSearch(query) || answer.results.length === 0) {
    answer = null;
    grid.skeleton(pageSize / 2);
    find("summary").textContent = isSearch(query) ? say("loading") : "";
    find("more").hidden = true;
    find("order").hidden = true;
  }
  find("hero").classList.toggle("spoken", isSearch(query));
  clearNotes();
  document.title = query.text ? `${query.text} – albef` : `albef – ${say("title")}`;
  nameQueryPicture();
}

/** A picture that only the address knows gets its name. */
async function nameQueryPicture() {
  const { image } = query;
  if (!image?.id || image.name) return;
  try {
    image.name = (await getImage(image.id)).name;
    if (query.image === image) form.show({ ...query, text: find("text").value });
  } catch {
    // The search itself will say that there is no such picture.
  }
}

// What came

/** The items in the chosen order. */
function ordered() {
  const items = [...answer.results];
  if (!answer.isResult) return items;
  const place = query.order === "recall" && answer.isReranked ? "recall_rank" : "rank";
  return items.sort((a, b) => a[place] - b[place]);
}

function show({ glides = false } = {}) {
  if (!answer) return;
  const items = ordered();
  const order = answer.isResult ? (answer.isReranked ? query.order : "rank") : null;
  grid.show(items.slice(0, shown), { order, isReranked: answer.isReranked, glides });
  find("summary").textContent = summary(items.length);
  find("summary").title = timings();
  find("order").hidden = !answer.isReranked;
  for (const button of find("order").children) {
    button.setAttribute("aria-pressed", String(button.value === query.order));
  }
  find("more").hidden = shown >= (answer.total ?? items.length);
  if (items.length === 0) showNothing();
  tellNotes();
}

function outcome(count) {
  const number = Math.min(shown, count);
  if (!answer.isResult) return say("browse", number, answer.total);
  const parts = [say("summary", number, count)];
  if (answer.isReranked) parts.push(say(query.order === "recall" ? "inRecall" : "inRank"));
  return parts.join(currentLanguage() === "en" ? ", " : "，");
}

function summary(count) {
  if (!answer.isResult || !answer.milliseconds) return outcome(count);
  const { encode = 0, recall = 0, rerank = 0 } = answer.milliseconds;
  const time = encode + recall + rerank;
  const spent = answer.is_cached ? say("cached") : say("timing", time < 10 ? time.toFixed(1) : Math.round(time));
  return `${outcome(count)} · ${spent}`;
}

function timings() {
  if (!answer.milliseconds) return "";
  const { encode = 0, recall = 0, rerank = 0 } = answer.milliseconds;
  return say("timings", encode.toFixed(1), recall.toFixed(1), rerank.toFixed(1));
}

function announceAnswer() {
  if (answer.results.length > 0) announce(outcome(answer.results.length));
}

async function more() {
  if (!answer || find("more").hidden) return;
  const start = shown;
  if (!answer.isResult && shown >= answer.results.length) {
    const mine = request;
    try {
      const next = await browse(shown, mine.signal);
      const known = new Set(answer.results.map((item) => item.id));
      answer.results.push(...next.results.filter((item) => !known.has(item.id)));
      answer.total = next.total;
    } catch (error) {
      if (!isAbort(error)) complain(error.message);
      return;
    }
  }
  const hadFocus = document.activeElement === find("more");
  shown += pageSize;
  show();
  announceAnswer();
  if (hadFocus) grid.focus(ordered()[start]?.id);
}

function switchOrder(order) {
  if (!answer?.isReranked || order === query.order) return;
  query = { ...query, order };
  writeAddress(query, true);
  show({ glides: true });
  announceAnswer();
}

function open(id) {
  const items = ordered();
  const { isResult, isReranked } = answer;
  viewer.open({
    items, index: items.findIndex((item) => item.id === id), isResult, isReranked,
    text: isResult && index?.model?.matches !== false ? query.text : "",
    isCalibrated: index?.model?.is_calibrated ?? true,
  });
}

/** Back from the dialog to the tile of what was last seen there. */
function leave(item) {
  if (!answer || !item) return;
  const place = ordered().findIndex((other) => other.id === item.id);
  if (place >= shown) {
    shown = Math.ceil((place + 1) / pageSize) * pageSize;
    show();
  }
  grid.focus(item.id);
}

// What is to be said about it

function tellNotes() {
  const notes = [];
  if (answer && !answer.isResult && query.filters.length) notes.push(note(say("conditionsWait")));
  if (answer?.isResult) {
    if (answer.reading?.is_cut) notes.push(note(say("cut")));
    if (answer.reading?.is_unknown) notes.push(note(say("unknown")));
    if (index?.model?.matches === false) notes.push(note(say("mismatch")));
    else if (index?.model?.is_trained === false) notes.push(note(say("untrained")));
  }
  if (isStale()) notes.push(note(say("changed"), button(say("refresh"), () => run())));
  showNotes(notes);
}

const isStale = () => Boolean(answer?.generation && index && index.generation !== answer.generation);

function showNothing() {
  if (!answer.isResult) return showTrouble(say("emptyIndex"), say("emptyIndexHint"));
  const reasons = [];
  const ways = [];
  if (minimumOf(query)) {
    reasons.push(say("nothingAtLeast", percent(query.minimum)));
    ways.push(button(say("dropMinimum"), () => change({ minimum: 0 })));
  }
  if (query.filters.length) {
    reasons.push(say("nothingWith", query.filters.join(", ")));
    ways.push(button(say("dropConditions"), () => change({ filters: [] })));
  }
  return showTrouble(say("nothing"), reasons.join(" ") || say("nothingPlain"), ...ways);
}

function fail(error) {
  trouble = error;
  answer = null;
  grid.show([]);
  find("summary").textContent = "";
  find("more").hidden = true;
  find("order").hidden = true;
  const retry = button(say("retry"), () => run(), "strong");
  if (error.isOffline) showTrouble(say("offline"), say("offlineHint"), retry);
  else showTrouble(say("problems")[error.status] ?? error.title ?? say("failed"), error.message, retry);
  // The first few times the page then tries by itself.
  if (error.retryAfter) {
    countDown(error.retryAfter, retry, () => {
      waits += 1;
      if (waits <= 3) run();
    });
  }
}

// The index

function know(next) {
  const grew = index && next.images !== index.images;
  index = next;
  form.suggest(next.facts ?? []);
  find("about").textContent = say("about", next.images, next.model.image_size);
  const { indexing } = next;
  find("indexing").hidden = !indexing?.is_running;
  if (indexing?.is_running) {
    const failed = indexing.failed ? ` · ${say("indexFailed", indexing.failed)}` : "";
    find("indexing-text").textContent = say("indexing", indexing.done, indexing.total) + failed;
    find("indexing-bar").max = Math.max(indexing.total, 1);
    find("indexing-bar").value = indexing.done;
  }
  if (trouble?.isOffline) run();
  else if (grew && answer && !answer.isResult && shown === pageSize && !viewer.isOpen) run({ isQuiet: true });
  else if (answer) tellNotes();
}

function lose(problem) {
  if (problem.isOffline && !trouble && !find("notes").querySelector(".lost")) {
    const made = note(say("offline"), button(say("retry"), () => follower.look()));
    made.classList.add("lost");
    find("notes").prepend(made);
    announce(say("offline"));
  }
}

// Languages and keys

function write() {
  translate(document);
  const next = languages.find((name) => name !== currentLanguage());
  const other = find("language");
  other.textContent = say("otherLanguage");
  other.lang = next;
  other.title = say("switchLanguage");
  find("examples").replaceChildren(...say("exampleQueries").map((text) => {
    const item = document.createElement("li");
    item.append(button(text, () => change({ text, image: null }), "plain"));
    return item;
  }));
  find("key-list").replaceChildren(...say("keyList").map(([key, meaning]) => {
    const group = document.createElement("div");
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    const cap = document.createElement("kbd");
    cap.textContent = key;
    term.append(cap);
    detail.textContent = meaning;
    group.append(term, detail);
    return group;
  }));
}

function switchLanguage() {
  const next = languages.find((name) => name !== currentLanguage());
  setLanguage(next);
  memory.set("language", next);
  write();
  form.show({ ...query, text: find("text").value });
  if (index) know(index);
  if (trouble) fail(trouble);
  else show();
}

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !hasSingleKeys) return;
  if (event.target.closest("input:not([type=range], [type=checkbox]), textarea, select")) return;
  const isModal = document.querySelector("dialog:modal");
  const acts = {
    "/": () => {
      if (isModal) return;
      find("text").focus();
      find("text").select();
    },
    "?": () => !isModal && find("keys").showModal(),
    o: () => !isModal && switchOrder(query.order === "recall" ? "rank" : "recall"),
    s: () => !isModal && event.target.closest(".tile") && similar(grid.current),
    h: () => viewer.toggleHeat(),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

find("language").addEventListener("click", switchLanguage);
find("show-keys").addEventListener("click", () => find("keys").showModal());
find("keys-close").addEventListener("click", () => find("keys").close());
find("keys").addEventListener("click", (event) => event.target === find("keys") && find("keys").close());
find("single-keys").checked = hasSingleKeys;
find("single-keys").addEventListener("change", (event) => {
  hasSingleKeys = event.target.checked;
  memory.set("single-keys", hasSingleKeys ? "on" : "off");
});
for (const choice of find("order").children) choice.addEventListener("click", () => switchOrder(choice.value));
find("more").addEventListener("click", more);
find("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({ ...query, text: "", image: null, filters: [], minimum: 0 });
});
addEventListener("keydown", press);
addEventListener("popstate", () => {
  if (viewer.isOpen) viewer.close();
  query = readAddress();
  run();
});

setLanguage(preferredLanguage());
write();
run();
follower.look();
