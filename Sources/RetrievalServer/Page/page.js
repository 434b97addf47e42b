// The search page: asks, shows what came, and keeps the address, the form and the grid in step.

import { AccessForm } from "./access.js";
import { Actions } from "./actions.js";
import {
  arrive, isViewEntry, keepPlace, readAddress, readView, savePlaces, takeHistory, writeAddress, writeView,
} from "./address.js";
import { ask, browse, extend, hasMore, learnName, ordered } from "./answers.js";
import { Problem, getImage, isAbort } from "./api.js";
import { Grid } from "./grid.js";
import { Keys } from "./keys.js";
import { Language } from "./language.js";
import {
  announce, button, clearNotes, complain, countDown, hideTrouble, note, showNotes, showTrouble,
} from "./notices.js";
import { IndexFollower, showIndex } from "./progress.js";
import { QueryForm, isSameSearch, isSearch, lacksSubject, limitsOf } from "./query.js";
import { say } from "./strings.js";
import { readTerms } from "./terms.js";
import { Viewer } from "./viewer.js";
import {
  doubts, failure, isDoubtful, notesOn, nothing, outcome, summary, timings, whyInOrder, windowTitle,
} from "./words.js";

const pageSize = 24;
// One request brings so many images at most.
const mostImages = 984;
const find = (id) => document.getElementById(id);

takeHistory();
let query = readAddress();
/** The answer to the query, or the images browsed so far; null before either came. */
let answer = null;
let shown = pageSize;
/** Where the page is to stand when the answer has come. */
let wanted = arrive();
let index = null;
let limits = limitsOf(null);
let trouble = null;
let request = null;
let isBusy = false;
let isGrowing = false;
let isLeaving = false;
let waits = 0;

const language = new Language(rewrite);
const grid = new Grid(find("grid"), { open, similar, more, dress: (tile, item) => actions.dress(tile, item) });
const viewer = new Viewer({
  leave, closed, similar, step: (item) => writeView(query, item.id), shown: (item) => actions.opened(item),
});
const form = new QueryForm({ change, complain });
const access = new AccessForm(enter);
const follower = new IndexFollower({ know, lose });
const keys = new Keys({
  switchOrder: () => switchOrder(query.order === "recall" ? "rank" : "recall"),
  similar: () => similar(grid.current),
  select: () => actions.selectCurrent(),
  toggleHeat: () => viewer.toggleHeat(),
});
const actions = new Actions(grid, {
  get query() { return query; },
  change: (part) => {
    change(part);
    viewer.close();
  },
  go: (next) => go(next),
  take: (file, name) => form.take(file, name),
  open,
  leave,
  renewed: (image) => viewer.renew(image),
  look: () => follower.look(),
  refresh: () => {
    follower.look();
    run({ isQuiet: true });
  },
});

// What was asked

function change(part, replaces = false) {
  const isLost = Boolean(query.image?.isLost);
  // New words are searched without a file that was said to be lost.
  const next = isLost && part.text && part.text !== query.text ? { image: null, likes: [], ...part } : part;
  go({ ...query, ...next }, replaces || isLost);
}

function similar(item) {
  change({ text: "", image: { id: item.id, name: item.name }, likes: [], unlike: [] });
  viewer.close();
}

function go(next, replaces) {
  const isEntry = !replaces && !isSameSearch(next, query) && (isSearch(next) || isSearch(query));
  stay();
  wanted = null;
  query = next;
  writeAddress(query, !isEntry);
  waits = 0;
  if (!replaces) scrollTo({ top: 0 });
  run();
}

/** Remembers where the page stands in this entry of the history. */
const stay = () => keepPlace({ shown, y: scrollY });

/** Asks for what the query says; an answer to an earlier query is not waited for. */
async function run({ isQuiet = false } = {}) {
  request?.abort();
  const mine = new AbortController();
  request = mine;
  trouble = null;
  hideTrouble();
  access.hide();
  form.show(query);
  if (query.image?.isLost) return fail({ kind: "file-lost" });
  if (lacksSubject(query)) return fail(new Problem({ type: "urn:albef:problem:only-without", status: 400 }));
  begin();
  try {
    const count = Math.min(Math.max(wanted?.shown ?? 0, pageSize), mostImages);
    // The index says what the service takes.
    if (isSearch(query)) await known;
    if (mine.signal.aborted) return;
    const next = await (isSearch(query) ? ask(query, limits, mine.signal) : browse(0, count, mine.signal));
    if (mine.signal.aborted) return;
    answer = next;
    shown = count;
    waits = 0;
    show();
    grid.retry();
    if (wanted) scrollTo({ top: wanted.y });
    wanted = null;
    if (!isQuiet) {
      announceAnswer();
      actions.answered();
    }
    showView();
  } catch (error) {
    if (isAbort(error) || mine.signal.aborted) return;
    fail(error);
  } finally {
    if (request === mine) setBusy(false);
  }
}

function setBusy(next) {
  isBusy = next;
  find("grid").setAttribute("aria-busy", String(next));
}

/** Results of the same kind stay, pale, until the next come; otherwise places are kept for them. */
function begin() {
  setBusy(true);
  if (answer?.isResult !== isSearch(query) || answer.results.length === 0) {
    answer = null;
    grid.skeleton(pageSize / 2);
    head(isSearch(query) ? say("loading") : "");
  }
  find("hero").classList.toggle("spoken", isSearch(query));
  find("hero-examples").hidden = isSearch(query);
  clearNotes();
  document.title = windowTitle(query);
  [query.image, ...query.likes, ...query.unlike].forEach(nameImage);
}

async function nameImage(image) {
  const isStill = () => [query.image, ...query.likes, ...query.unlike].includes(image);
  if ((await learnName(image)) && isStill()) form.show({ ...query, text: find("text").value });
}

// What came

/** The line above the grid, while there is no answer to speak of. */
function head(text) {
  find("summary").textContent = text;
  find("summary").hidden = !text;
  find("summary").title = "";
  for (const id of ["more", "order", "why", "doubt"]) find(id).hidden = true;
  actions.hide();
}

function show({ glides = false } = {}) {
  if (!answer) return;
  const items = ordered(answer, query.order);
  shown = Math.min(shown, Math.max(items.length, pageSize));
  const order = answer.isResult ? (answer.isReranked ? query.order : "rank") : null;
  grid.show(items.slice(0, shown), { order, isReranked: answer.isReranked, glides });
  find("summary").textContent = summary(answer, shown, query.order);
  find("summary").title = timings(answer);
  find("summary").hidden = false;
  find("order").hidden = !answer.isReranked;
  for (const choice of find("order").children) {
    choice.setAttribute("aria-pressed", String(choice.value === query.order));
  }
  find("why").textContent = whyInOrder(answer, items.slice(0, shown), query.order, index);
  find("why").hidden = !find("why").textContent;
  find("more").hidden = shown >= items.length && !hasMore(answer);
  showDoubt();
  actions.show(answer, items.slice(0, shown));
  if (items.length === 0) showTrouble(...nothing(answer, query, index, change));
  tellNotes();
}

/** Says above the results that none matches well, where that is so; they are paler then. */
function showDoubt() {
  const isDoubted = isDoubtful(answer);
  find("doubt").hidden = !isDoubted;
  find("grid").classList.toggle("doubtful", isDoubted);
  if (!isDoubted) return;
  const [first, rest] = doubts(answer);
  find("doubt").querySelector("strong").textContent = first;
  find("doubt").querySelector("span").textContent = rest;
}

function announceAnswer() {
  if (answer.results.length === 0) return;
  announce([...(isDoubtful(answer) ? doubts(answer) : []), outcome(answer, shown, query.order)].join(" "));
}

/** Shows the next images, once at a time: keys repeat, and buttons are pressed twice. */
async function more() {
  if (!answer || isBusy || isGrowing || find("more").hidden) return;
  const start = shown;
  if (shown >= answer.results.length && !(await grow())) return;
  const hadFocus = document.activeElement === find("more");
  shown = start + pageSize;
  show();
  announceAnswer();
  if (hadFocus) grid.focus(ordered(answer, query.order)[start]?.id);
}

/** Fetches the next images to browse; whether they came. */
async function grow() {
  isGrowing = true;
  try {
    return await extend(answer, pageSize, request.signal);
  } catch (error) {
    if (!isAbort(error)) complain(error.message);
    return false;
  } finally {
    isGrowing = false;
  }
}

function switchOrder(order) {
  if (!answer?.isReranked || order === query.order) return;
  query = { ...query, order };
  writeAddress(query, true);
  show({ glides: true });
  announceAnswer();
}

// The image that is open

function open(id) {
  stay();
  writeView(query, id);
  showView();
}

/** Opens or closes the dialog as the address says. */
async function showView() {
  const id = readView();
  if (!id) viewer.close();
  if (!id || !answer || (viewer.isOpen && viewer.item.id === id)) return;
  const items = ordered(answer, query.order);
  const place = items.findIndex((item) => item.id === id);
  if (place >= 0) return openViewer(items, place, answer);
  const { signal } = request;
  try {
    // It is not among what was found or fetched so far: it is shown alone.
    const image = await getImage(id, signal);
    if (readView() === id) openViewer([image], 0, {});
  } catch (error) {
    if (isAbort(error) || signal.aborted) return;
    writeAddress(query, true);
    complain(error.kind === "not-found" ? say("viewLost") : error.message);
  }
}

function openViewer(items, place, { isResult = false, isReranked = false }) {
  viewer.open({
    items, index: place, isResult, isReranked,
    text: index?.model?.matches === false ? "" : readTerms(query.text).text,
    isCalibrated: index?.model?.is_calibrated ?? true,
  });
}

/** Leaves the open image: the history goes back where it has an entry, and the dialog follows. */
function leave() {
  if (isLeaving) return;
  if (isViewEntry()) {
    isLeaving = true;
    history.back();
  } else {
    writeAddress(query, true);
    viewer.close();
  }
}

/** Back from the dialog to the tile of what was last seen there. */
function closed(item, isForced) {
  if (isForced) leave();
  if (!answer || isBusy || !item) return;
  const place = ordered(answer, query.order).findIndex((other) => other.id === item.id);
  if (place >= shown) {
    shown = Math.ceil((place + 1) / pageSize) * pageSize;
    show();
  }
  grid.focus(item.id);
}

function travel() {
  isLeaving = false;
  stay();
  const next = readAddress();
  const isSame = answer && !isBusy && isSameSearch(next, query);
  wanted = arrive();
  query = next;
  if (!isSame) {
    viewer.close();
    return run();
  }
  shown = wanted?.shown ?? shown;
  show();
  if (wanted) scrollTo({ top: wanted.y });
  wanted = null;
  showView();
}

// What is to be said about it

function tellNotes() {
  if (!answer) return;
  const isStale = Boolean(answer.generation && index && index.generation !== answer.generation);
  const ways = { refresh: () => run(), showSkipped: () => actions.folder.open(), changed: tellNotes };
  showNotes(notesOn(answer, query, index, isStale, ways));
}

function fail(error) {
  trouble = error;
  answer = null;
  grid.show([]);
  clearNotes();
  head("");
  if (error.kind === "unauthorized") return access.show();
  if (error.kind === "file-lost") return lackFile();
  if (error.kind === "only-without") {
    setBusy(false);
    find("hero-examples").hidden = true;
    return showTrouble(...failure(error));
  }
  const retry = button(say("retry"), () => run(), "strong");
  showTrouble(...failure(error), retry);
  // The first few times the page then tries by itself.
  if (error.retryAfter) {
    countDown(error.retryAfter, retry, () => {
      waits += 1;
      if (waits <= 3) run();
    });
  }
}

function lackFile() {
  find("hero").classList.add("spoken");
  find("hero-examples").hidden = true;
  setBusy(false);
  const ways = [button(say("chooseAgain"), () => form.choose(), "strong")];
  if (query.text) ways.push(button(say("dropImage"), () => change({ image: null })));
  showTrouble(say("fileLost"), say("fileLostHint", query.image.name), ...ways);
}

// The index

/** There is a key to try. */
function enter() {
  known = follower.look();
  run();
}

function know(next) {
  const before = index;
  index = next;
  limits = limitsOf(next);
  form.limit(limits);
  form.suggest(next.facts ?? []);
  showIndex(next);
  actions.know(next);
  if (trouble?.isOffline) run();
  else if (before && next.images !== before.images && isOutdated(before)) run({ isQuiet: true });
  else if (answer?.results.length === 0 && next.images !== before?.images) show();
  else tellNotes();
}

/** Whether what is shown should show the images that came or went, nobody having gone further. */
function isOutdated(before) {
  if (!answer || isBusy || viewer.isOpen) return false;
  return answer.isResult ? answer.results.length === 0 && before.images === 0 : shown <= pageSize;
}

function lose(problem) {
  if (problem.kind === "unauthorized") {
    fail(problem);
    return false;
  }
  if (problem.isOffline && !trouble && !find("notes").querySelector(".lost")) {
    const made = note(say("offline"), button(say("retry"), () => follower.look()));
    made.classList.add("lost");
    find("notes").prepend(made);
    announce(say("offline"));
  }
  return true;
}

// The language

function rewrite() {
  keys.write();
  form.show({ ...query, text: find("text").value });
  document.title = windowTitle(query);
  actions.write();
  if (trouble && trouble.kind !== "unauthorized") fail(trouble);
  else show();
  if (!index) return;
  showIndex(index);
  actions.folder.know(index);
}

for (const id of ["keys", "skipped"]) {
  find(`${id}-close`).addEventListener("click", () => find(id).close());
  find(id).addEventListener("click", (event) => event.target === find(id) && find(id).close());
}
for (const choice of find("order").children) choice.addEventListener("click", () => switchOrder(choice.value));
find("more").addEventListener("click", more);
find("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({ ...query, text: "", image: null, likes: [], unlike: [], filters: [], minimum: 0 });
});
addEventListener("popstate", travel);
addEventListener("pagehide", () => {
  stay();
  savePlaces();
});

keys.write();
let known = follower.look();
run();
