// The page's texts in the chosen language.

import { chinese } from "./chinese.js";
import { english } from "./english.js";

/** The texts, by the tag of the language as in <html lang>. */
export const tables = { en: english, "zh-CN": chinese };

export const languages = Object.keys(tables);

let language = "en";

/** The tag of the language that the page is written in. */
export const currentLanguage = () => language;

/** The sign between two parts of a sentence. */
export const comma = () => (language === "en" ? ", " : "，");

/** The space between two sentences; Chinese has none. */
export const betweenSentences = () => (language === "en" ? " " : "");

// Some browsers refuse storage. The page then forgets its settings when it is closed.
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`albef.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`albef.${key}`, value);
    } catch {
      // Only the setting is lost.
    }
  },
};

/** The remembered language, or the browser's. */
export function preferredLanguage() {
  const chosen = memory.get("language");
  if (chosen in tables) return chosen;
  return /^zh\b/i.test(navigator.language) ? "zh-CN" : "en";
}

export function setLanguage(name) {
  language = name in tables ? name : "en";
  document.documentElement.lang = language;
}

/** A text in the chosen language; a text that is a function receives the values. */
export function say(key, ...values) {
  const text = tables[language][key];
  return typeof text === "function" ? text(...values) : text;
}

/** Writes the texts of all elements in `root` that have a `data-say` attribute. */
export function translate(root) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-placeholder]")) {
    node.placeholder = say(node.dataset.sayPlaceholder);
  }
  for (const node of root.querySelectorAll("[data-say-title]")) node.title = say(node.dataset.sayTitle);
  for (const node of root.querySelectorAll("[data-say-label]")) {
    node.setAttribute("aria-label", say(node.dataset.sayLabel));
    if (node.tagName === "BUTTON" || node.tagName === "A") node.title = say(node.dataset.sayLabel);
  }
}

/** A probability in percent, which never claims certainty. */
export function percent(value) {
  if (value > 0.995 && value < 1) return ">99 %";
  if (value > 0 && value < 0.005) return "<1 %";
  return `${Math.round(value * 100)} %`;
}
