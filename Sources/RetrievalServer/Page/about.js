// Formats the facts of an image for display: when, where and with what it was taken, and how large it is.

import { comma, currentLanguage, say } from "./strings.js";

const units = ["B", "kB", "MB", "GB"];

/** Formats a number of bytes, such as 3.4 MB. */
export function sizeOf(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

/** Formats a date of a camera's clock, which has no time zone; empty if the date is invalid. */
function written(date, style) {
  const read = new Date(`${date}${/T/.test(date) ? "" : "T00:00:00"}Z`);
  if (Number.isNaN(read.valueOf())) return "";
  return read.toLocaleString(currentLanguage(), { ...style, timeZone: "UTC" });
}

export const dayOf = (date) => written(date, { dateStyle: "medium" });
export const momentOf = (date) => written(date, { dateStyle: "long", timeStyle: "short" });

/** The last component of a folder's path. */
export const lastPart = (folder) => folder.split(/[\\/]/).filter(Boolean).at(-1) ?? folder;

/** Formats a location, such as 35.0116° N, 135.7681° E. */
export function placeOf({ latitude, longitude }) {
  if (typeof latitude !== "number" || typeof longitude !== "number") return "";
  const part = (value, sides) => `${Math.abs(value).toFixed(4)}° ${sides[value < 0 ? 1 : 0]}`;
  return [part(latitude, say("latitudes")), part(longitude, say("longitudes"))].join(comma());
}

// File names that cameras and phones generate, and names of digits only.
const counters = /^(img|image|imag|dsc|dscn|dscf|dsc_|pxl|vid|mvimg|wp|p|pict|photo|sam|cimg|gopr|dji|screenshot|_mg|_dsc|whatsapp image)?[\s_-]*[\d_\s.()-]*$/i;

/** Whether a file name means nothing to people. */
export function isMeaningless(name) {
  const stem = name.replace(/\.[a-z0-9]{2,5}$/i, "");
  if (counters.test(stem)) return true;
  const digits = stem.replace(/[^\d]/g, "").length;
  return digits >= 6 && (/^[\da-f_-]+$/i.test(stem) || digits > stem.length / 2);
}

/** The caption of an image: its name, or its day and folder if the name means nothing. */
export function captionOf({ name, folder, about }) {
  if (!about?.date || !isMeaningless(name)) return name;
  return [dayOf(about.date), folder ? lastPart(folder) : ""].filter(Boolean).join(" · ") || name;
}
