// The address and the history: the query, the open image, and the scroll position.

const session = {
  get(key) {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      sessionStorage.setItem(key, value);
    } catch {
      // A reload then forgets the positions.
    }
  },
};

/** The query of an empty address. */
export const standard = {
  text: "", image: null, likes: [], unlike: [], filters: [], minimum: 0, candidates: 64, order: "rank",
  sort: "relevance", unfolds: false,
};

/** The orders of images: by relevance (or by path), newest first, oldest first. */
export const sorts = ["relevance", "date", "-date"];

// Dropped files stay in this page, because an address can hold only their key.
const files = new Map();

/** Keeps a file to search with, under its name. */
export function keepFile(file, name = file.name) {
  const key = `${Date.now()}-${files.size}`;
  files.set(key, { key, name, file, url: URL.createObjectURL(file) });
  return files.get(key);
}

/** The file of this entry; `isLost` if only its name survived a reload. */
function fileOfEntry() {
  const { file } = history.state ?? {};
  return file ? (files.get(file.key) ?? { ...file, isLost: true }) : null;
}

/** The query in the address, with the file of the history entry. */
export function readAddress() {
  const query = queryOf(location.search);
  const file = fileOfEntry();
  return file ? { ...query, image: file, likes: [query.image, ...query.likes].filter(Boolean) } : query;
}

/** The query in the part of an address after "?". */
export function queryOf(search) {
  const fields = new URLSearchParams(search);
  const number = (name, fallback) => (fields.has(name) ? Number(fields.get(name)) : fallback);
  const candidates = number("candidates", standard.candidates);
  const minimum = number("min", 0);
  const images = (name) => [...new Set(fields.getAll(name))].filter(Boolean).map((id) => ({ id, name: "" }));
  const [image = null, ...likes] = images("image");
  return {
    text: (fields.get("q") ?? "").trim(),
    image,
    likes,
    unlike: images("unlike"),
    filters: fields.getAll("where"),
    minimum: minimum > 0 && minimum < 1 ? minimum : 0,
    candidates: Number.isInteger(candidates) && candidates >= 0 ? candidates : standard.candidates,
    order: fields.get("order") === "recall" ? "recall" : "rank",
    sort: sorts.includes(fields.get("sort")) ? fields.get("sort") : standard.sort,
    unfolds: fields.get("fold") === "no",
  };
}

/** The id of the open image in the address, or null. */
export const readView = () => new URLSearchParams(location.search).get("view");

/** Whether the open image has its own history entry, so that going back closes it. */
export const isViewEntry = () => Boolean(readView() && history.state?.isView);

/** The address of a query and an open image. */
export function addressOf(query, view = null) {
  const fields = new URLSearchParams();
  if (query.text) fields.set("q", query.text);
  for (const image of [query.image, ...query.likes]) if (image?.id) fields.append("image", image.id);
  for (const { id } of query.unlike) fields.append("unlike", id);
  for (const filter of query.filters) fields.append("where", filter);
  if (query.minimum) fields.set("min", query.minimum);
  if (query.candidates !== standard.candidates) fields.set("candidates", query.candidates);
  if (query.order !== standard.order) fields.set("order", query.order);
  if (query.sort !== standard.sort) fields.set("sort", query.sort);
  if (query.unfolds) fields.set("fold", "no");
  if (view) fields.set("view", view);
  return fields.size ? `?${fields}` : location.pathname;
}

function write(query, view, { replaces, place, isView }) {
  const { image } = query;
  const state = { place, isView, file: image?.key ? { key: image.key, name: image.name } : null };
  const address = addressOf(query, view);
  if (replaces) history.replaceState(state, "", address);
  else history.pushState(state, "", address);
}

/** Writes a query into the address, in a new history entry or in this one. */
export function writeAddress(query, replaces) {
  if (!replaces) here = newPlace();
  write(query, null, { replaces, place: here, isView: false });
}

/** Writes an open image into the address; the first adds a history entry, the next ones replace it. */
export function writeView(query, view) {
  const replaces = Boolean(readView());
  write(query, view, { replaces, place: here, isView: !replaces || isViewEntry() });
}

// The scroll position

const mostPlaces = 100;
const newPlace = () => `${Date.now()}-${Math.random().toString(36).slice(2, 8)}`;

function readPlaces() {
  try {
    return new Map(JSON.parse(session.get("albef.places") ?? "[]"));
  } catch {
    return new Map();
  }
}

const places = readPlaces();
let here = history.state?.place ?? newPlace();

/** Remembers the position of the page: the number of fetched images, and the scroll offset. */
export function keepPlace(place) {
  places.delete(here);
  places.set(here, place);
  if (places.size > mostPlaces) places.delete(places.keys().next().value);
}

/** Keeps the remembered positions across a reload. */
export const savePlaces = () => session.set("albef.places", JSON.stringify([...places]));

/** Makes the history entry the present one, and returns its remembered position. */
export function arrive() {
  here = history.state?.place ?? here;
  return places.get(here) ?? null;
}

/** Turns off the browser's scroll restoration, because the page does it. */
export function takeHistory() {
  history.scrollRestoration = "manual";
  if (!history.state?.place) history.replaceState({ ...history.state, place: here }, "");
}
