// The searches that were made on this device lately, the newest first.

import { memory } from "./strings.js";

const kept = 30;
const name = "recent";

/** What was searched lately: { label, address }. */
export function recentSearches() {
  try {
    const stored = JSON.parse(memory.get(name) ?? "[]");
    if (!Array.isArray(stored)) return [];
    const isText = (value) => typeof value === "string" && value !== "";
    return stored.filter((entry) => isText(entry?.label) && isText(entry?.address) && entry.address.startsWith("?"));
  } catch {
    return [];
  }
}

const store = (entries) => memory.set(name, JSON.stringify(entries.slice(0, kept)));

/** Remembers a search by its address; the same is not there twice. */
export const remember = (label, address) =>
  store([{ label, address }, ...recentSearches().filter((entry) => entry.address !== address)]);

/** Forgets a search. */
export const forget = (address) => store(recentSearches().filter((entry) => entry.address !== address));

/** Forgets all of them. */
export const forgetAll = () => store([]);

/** Those that fit what has been typed so far: all of its words are in them. */
export function matching(typed, most) {
  const words = typed.toLowerCase().split(/\s+/u).filter(Boolean);
  return recentSearches()
    .filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)))
    .slice(0, most);
}
