// Writes lists of images for other programs, as JSON and CSV.

const rowOf = (item) => ({
  rank: item.rank ?? null,
  name: item.name,
  path: item.path ?? null,
  probability: item.match_probability ?? null,
  similarity: item.similarity ?? null,
  date: item.about?.date ?? null,
  metadata: item.metadata ?? {},
});

/** The list as JSON, one object per image. */
export const asJSON = (items) => `${JSON.stringify(items.map(rowOf), null, 2)}\n`;

const columns = ["rank", "name", "path", "probability", "similarity", "date"];

const written = (value) => {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(written).join("; ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

// The beginning of a formula in a spreadsheet, with any blanks before it.
const formula = /^[\s\u0000-\u0020]*[=+\-@＝＋－＠|%]|^[\t\r\n]/u;

/**
 * One cell. An apostrophe before a text keeps a spreadsheet from evaluating it as a formula. A text with
 * separators is quoted.
 */
export function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = written(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /["',;\t\r\n]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The list as CSV (RFC 4180), with one column per name of the metadata, and the mark by which Excel detects UTF-8. */
export function asCSV(items) {
  const rows = items.map(rowOf);
  const names = [...new Set(rows.flatMap(({ metadata }) => Object.keys(metadata)))];
  const head = [...columns, ...names.map((name) => (columns.includes(name) ? `metadata.${name}` : name))];
  const lines = rows.map((row) => [
    ...columns.map((column) => row[column]),
    ...names.map((name) => row.metadata[name]),
  ]);
  return `\uFEFF${[head, ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("")}`;
}
