// The recent searches on this device, the newest first.

import { memory } from "./strings.js";

const kept = 30;
const name = "recent";

/** The recent searches: { label, address }. */
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

/** Remembers a search by its address, without duplicates. */
export const remember = (label, address) =>
  store([{ label, address }, ...recentSearches().filter((entry) => entry.address !== address)]);

/** Forgets a search. */
export const forget = (address) => store(recentSearches().filter((entry) => entry.address !== address));

/** Forgets all searches. */
export const forgetAll = () => store([]);

/** The searches that contain every word typed so far. */
export function matching(typed, most) {
  const words = typed.toLowerCase().split(/\s+/u).filter(Boolean);
  return recentSearches()
    .filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)))
    .slice(0, most);
}
