// Lists of images as text that other programs read: JSON and CSV.

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

// What a spreadsheet takes for the beginning of a formula, blanks before it included.
const formula = /^[\s\u0000-\u0020]*[=+\-@＝＋－＠|%]|^[\t\r\n]/u;

/**
 * One cell: numbers as they are; texts so that no spreadsheet computes them, which an apostrophe
 * prevents, and in quotes where they hold what separates cells.
 */
export function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = written(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /["',;\t\r\n]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The list as CSV (RFC 4180): a column per name of the metadata; with the mark by which Excel knows UTF-8. */
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
