// The search page: sends the query, shows the answer, and keeps the address, the form and the grid in step.

import { AccessForm } from "./access.js";
import { Actions } from "./actions.js";
import { arrive, keepPlace, readAddress, savePlaces, takeHistory, writeAddress } from "./address.js";
import { ask, breakOf, countOf, extend, hasMore, learnName, ordered } from "./answers.js";
import { isAbort } from "./api.js";
import { showDoubt } from "./doubt.js";
import { FactsForm } from "./facts.js";
import { Further } from "./further.js";
import { Grid } from "./grid.js";
import { Keys } from "./keys.js";
import { Language } from "./language.js";
import {
  announce, button, clearNotes, complain, countDown, hideTrouble, note, showNotes, showTrouble,
} from "./notices.js";
import { Opening } from "./opening.js";
import { IndexFollower, showIndex } from "./progress.js";
import { QueryForm, imagesOf, isSameSearch, isSearch, lacksSubject, limitsOf } from "./query.js";
import { followShapes } from "./shapes.js";
import { betweenSentences, say } from "./strings.js";
import { readTerms } from "./terms.js";
import {
  doubts, failure, isDoubtful, notesOn, nothing, outcome, summary, timings, whyInOrder, windowTitle,
} from "./words.js";

const ghosts = 12;
const find = (id) => document.getElementById(id);

takeHistory();
let query = readAddress();
/** The results of the query, or the images of the gallery; null until the first of them arrive. */
let answer = null;
/** The position to scroll to when the answer arrives; null for the top. */
let wanted = arrive();
let index = null;
let limits = limitsOf(null);
let trouble = null;
let request = null;
let isBusy = false;
let waits = 0;

const language = new Language(rewrite);
const grid = new Grid(find("grid"), {
  open: (id) => opening.open(id), similar, more: () => further.more(true), dress: (tile, item) => actions.dress(tile, item),
});
const further = new Further(more);
const opening = new Opening({
  query: () => query, items: () => answer && ordered(answer, query.order), context: contextOf,
  signal: () => request.signal, stay, similar, more: () => further.more(false),
  shown: (item) => actions.opened(item),
  focus: (id) => answer && !isBusy && grid.focus(id),
});
const form = new QueryForm({ change, complain });
const facts = new FactsForm({ change: (part) => change({ text: find("text").value.trim(), ...part }) });
const access = new AccessForm(enter);
const follower = new IndexFollower({ know, lose });
const keys = new Keys({
  switchOrder: () => switchOrder(query.order === "recall" ? "rank" : "recall"),
  similar: () => similar(grid.current),
  select: () => actions.selectCurrent(),
  toggleHeat: () => opening.viewer.toggleHeat(),
  view: (key) => opening.viewer.act(key),
});
const actions = new Actions(grid, {
  get query() { return query; },
  change: (part) => {
    change(part);
    opening.close();
  },
  go: (next) => go(next),
  take: (file, name) => form.take(file, name),
  open: (id) => opening.open(id),
  leave: () => opening.leave(),
  renewed: (image) => opening.viewer.renew(image),
  look: () => follower.look(),
  refresh: () => {
    follower.look();
    run({ isQuiet: true });
  },
});
followShapes((isSquare) => { grid.isSquare = isSquare; });

// The query

function change(part, replaces = false) {
  const isLost = Boolean(query.image?.isLost);
  // A search for new words leaves out a file that the page has lost.
  const next = isLost && part.text && part.text !== query.text ? { image: null, likes: [], ...part } : part;
  go({ ...query, ...next }, replaces || isLost);
}

function similar(item) {
  change({ text: "", image: { id: item.id, name: item.name }, likes: [], unlike: [] });
  opening.close();
}

function go(next, replaces) {
  const isEntry = !replaces && !isSameSearch(next, query);
  stay();
  wanted = null;
  query = next;
  writeAddress(query, !isEntry);
  waits = 0;
  if (!replaces) scrollTo({ top: 0 });
  run();
}

/** Remembers the scroll position in this history entry. */
function stay() {
  keepPlace({ shown: answer?.results.length ?? 0, y: scrollY, anchor: grid.anchor() });
}

/** Returns to a remembered position: to the image that was at the top, even if it has moved. */
function resume(place) {
  scrollTo({ top: place.y, behavior: "instant" });
  if (place.anchor) grid.restore(place.anchor);
}

/** Sends the query, and cancels the request of an earlier one. */
async function run({ isQuiet = false } = {}) {
  request?.abort();
  const mine = new AbortController();
  request = mine;
  trouble = null;
  hideTrouble();
  access.hide();
  form.show(query);
  facts.show(query);
  if (query.image?.isLost) return fail({ kind: "file-lost" });
  if (lacksSubject(query)) return fail({ kind: "only-without" });
  begin();
  try {
    // The limits of the service come with the index.
    if (isSearch(query)) await known;
    if (mine.signal.aborted) return;
    const next = await ask(query, limits, mine.signal);
    const shown = wanted?.shown ?? 0;
    while (!mine.signal.aborted && next.results.length < shown && hasMore(next)) {
      await extend(next, query, limits, mine.signal, shown - next.results.length);
    }
    if (mine.signal.aborted) return;
    answer = next;
    waits = 0;
    show();
    grid.retry();
    if (wanted) resume(wanted);
    wanted = null;
    if (!isQuiet) {
      announceAnswer();
      actions.answered();
    }
    opening.follow();
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

/** Shows that the page waits for an answer: old results turn pale, or empty tiles take their place. */
function begin() {
  setBusy(true);
  if (answer?.isResult !== isSearch(query) || answer.results.length === 0) {
    answer = null;
    grid.skeleton(ghosts);
    head(isSearch(query) ? say("loading") : "");
  }
  find("hero").classList.toggle("spoken", isSearch(query));
  find("hero-examples").hidden = isSearch(query);
  further.offer(false);
  clearNotes();
  document.title = windowTitle(query);
  imagesOf(query).forEach(nameImage);
}

async function nameImage(image) {
  if ((await learnName(image)) && imagesOf(query).includes(image)) form.show({ ...query, text: find("text").value });
}

// The answer

/** Writes the line above the grid while there is no answer. */
function head(text) {
  find("summary").textContent = text;
  find("summary").hidden = !text;
  find("summary").title = "";
  for (const id of ["order", "why", "doubt"]) find(id).hidden = true;
  actions.hide();
}

function show({ glides = false } = {}) {
  if (!answer) return;
  const items = ordered(answer, query.order);
  const order = !answer.isResult ? null : answer.isDated ? "date" : answer.isReranked ? query.order : "rank";
  grid.show(items, {
    order, glides, isReranked: answer.isReranked, isCalibrated: isCalibrated(), total: countOf(answer),
    breakAt: breakOf(answer, query.order), breakText: say("notCompared"),
  });
  find("summary").textContent = summary(answer, query.order);
  find("summary").title = timings(answer);
  find("summary").hidden = false;
  find("order").hidden = !answer.isReranked || answer.isDated;
  for (const choice of find("order").children) {
    choice.setAttribute("aria-pressed", String(choice.value === query.order));
  }
  find("why").textContent = isCalibrated() ? whyInOrder(answer, items, query.order, index) : "";
  find("why").hidden = !find("why").textContent;
  showDoubt(answer);
  actions.show(answer, items);
  if (items.length === 0) showTrouble(...nothing(answer, query, index, change));
  tellNotes();
  further.offer(hasMore(answer));
}

/** Whether the model's match probabilities are calibrated; others are not shown. */
const isCalibrated = () => index?.model?.is_calibrated ?? true;

function announceAnswer() {
  if (answer.results.length === 0) return;
  announce([...(isDoubtful(answer) ? doubts(answer) : []), outcome(answer, query.order)].join(betweenSentences()));
}

/** Fetches the next images and shows them. */
async function more(isAsked) {
  const { signal } = request;
  const start = answer.results.length;
  const hadFocus = document.activeElement === find("more");
  try {
    if (!(await extend(answer, query, limits, signal))) return;
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  show();
  opening.extend(ordered(answer, query.order), countOf(answer));
  if (isAsked) announceAnswer();
  if (isAsked && hadFocus && answer.results.length > start) grid.focus(ordered(answer, query.order)[start].id);
}

function switchOrder(order) {
  if (!answer?.isReranked || order === query.order) return;
  query = { ...query, order };
  writeAddress(query, true);
  show({ glides: true });
  announceAnswer();
}

/** The facts of the answer that the viewer needs besides the items. */
function contextOf() {
  const { isResult = false, isReranked = false } = answer ?? {};
  return {
    isResult, isReranked, total: answer ? countOf(answer) : 0, isCalibrated: isCalibrated(),
    text: index?.model?.matches === false ? "" : readTerms(query.text).text,
  };
}

function travel() {
  opening.arrived();
  stay();
  const next = readAddress();
  const isSame = answer && !isBusy && isSameSearch(next, query);
  wanted = arrive();
  query = next;
  if (!isSame) {
    opening.close();
    return run();
  }
  show();
  if (wanted) resume(wanted);
  wanted = null;
  opening.follow();
}

// Notes and errors

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
  further.offer(false);
  head("");
  if (error.kind === "unauthorized") return access.show();
  if (error.kind === "file-lost") return lackFile();
  if (error.kind === "only-without") {
    nothingAsked();
    return showTrouble(...failure(error));
  }
  const retry = button(say("retry"), () => run(), "strong");
  showTrouble(...failure(error), retry);
  // The page tries again by itself, at most three times.
  if (error.retryAfter) {
    countDown(error.retryAfter, retry, () => {
      waits += 1;
      if (waits <= 3) run();
    });
  }
}

function lackFile() {
  nothingAsked();
  const ways = [button(say("chooseAgain"), () => form.choose(), "strong")];
  if (query.text) ways.push(button(say("dropImage"), () => change({ image: null })));
  showTrouble(say("fileLost"), say("fileLostHint", query.image.name), ...ways);
}

/** Hides the texts of the start page if a search could not be sent. */
function nothingAsked() {
  find("hero").classList.add("spoken");
  find("hero-examples").hidden = true;
  setBusy(false);
}

// The index

/** Tries the key that the visitor has given. */
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
  facts.follow(next);
  showIndex(next);
  for (const part of [actions, opening.viewer]) part.know(next);
  if (further.isOffline) further.more(false);
  if (trouble?.isOffline) run();
  else if (before && next.images !== before.images && isOutdated(before)) run({ isQuiet: true });
  else if (answer?.results.length === 0 && next.images !== before?.images) show();
  else tellNotes();
}

/** Whether to fetch the shown images again because the index changed: not while an image is open, nor after scrolling. */
function isOutdated(before) {
  if (!answer || isBusy || opening.isOpen) return false;
  return answer.isResult ? answer.results.length === 0 && before.images === 0 : scrollY < innerHeight;
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
  facts.show(query);
  document.title = windowTitle(query);
  actions.write();
  if (trouble && trouble.kind !== "unauthorized") fail(trouble);
  else show();
  further.rewrite();
  if (index) showIndex(index);
}

for (const choice of find("order").children) choice.addEventListener("click", () => switchOrder(choice.value));
find("home").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({ ...query, text: "", image: null, likes: [], unlike: [], filters: [], minimum: 0, sort: "relevance" });
});
addEventListener("popstate", travel);
addEventListener("pagehide", () => {
  stay();
  savePlaces();
});

keys.write();
let known = follower.look();
run();
