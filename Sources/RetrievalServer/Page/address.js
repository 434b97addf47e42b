// The address and the history: what is searched, which image is open, and where the page stood.

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
      // The places are then forgotten when the page is reloaded.
    }
  },
};

/** What a search is where its address says nothing else. */
export const standard = {
  text: "", image: null, likes: [], unlike: [], filters: [], minimum: 0, candidates: 64, order: "rank",
  sort: "relevance", unfolds: false,
};

/** What images can be sorted by: how well they fit (or their paths), newest first, oldest first. */
export const sorts = ["relevance", "date", "-date"];

// Files that were dropped stay with this page: an address cannot hold them, only an entry's key.
const files = new Map();

/** Keeps a file to search with; `name` is what it is called. */
export function keepFile(file, name = file.name) {
  const key = `${Date.now()}-${files.size}`;
  files.set(key, { key, name, file, url: URL.createObjectURL(file) });
  return files.get(key);
}

/** The file of this entry; `isLost` where only its name survived a reload. */
function fileOfEntry() {
  const { file } = history.state ?? {};
  return file ? (files.get(file.key) ?? { ...file, isLost: true }) : null;
}

/** The query that the address holds, with the file of the history's entry. */
export function readAddress() {
  const query = queryOf(location.search);
  const file = fileOfEntry();
  return file ? { ...query, image: file, likes: [query.image, ...query.likes].filter(Boolean) } : query;
}

/** The query that the part of an address behind "?" holds. */
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

/** The id of the image that the address has open, or null. */
export const readView = () => new URLSearchParams(location.search).get("view");

/** Whether the open image has an entry of its own, which going back leaves. */
export const isViewEntry = () => Boolean(readView() && history.state?.isView);

/** The address of a query, and of the image that is open. */
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

/** Writes a query into the address, as a new entry of the history or into this one. */
export function writeAddress(query, replaces) {
  if (!replaces) here = newPlace();
  write(query, null, { replaces, place: here, isView: false });
}

/** Writes an open image into the address; the first gets an entry, the next ones replace it. */
export function writeView(query, view) {
  const replaces = Boolean(readView());
  write(query, view, { replaces, place: here, isView: !replaces || isViewEntry() });
}

// Where the page stood

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

/** Remembers where the page stands: how many images were fetched, and how far it is scrolled. */
export function keepPlace(place) {
  places.delete(here);
  places.set(here, place);
  if (places.size > mostPlaces) places.delete(places.keys().next().value);
}

/** Keeps what is remembered over a reload. */
export const savePlaces = () => session.set("albef.places", JSON.stringify([...places]));

/** Takes the history's entry as where the page is now, and gives where it stood there. */
export function arrive() {
  here = history.state?.place ?? here;
  return places.get(here) ?? null;
}

/** Makes the page itself responsible for where it is scrolled to. */
export function takeHistory() {
  history.scrollRestoration = "manual";
  if (!history.state?.place) history.replaceState({ ...history.state, place: here }, "");
}
