// Saves files and copies texts for the visitor.

/** Makes the browser save the file at an address under a name. */
export function saveFrom(address, name) {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** Makes the browser save a file that the page created. */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  saveFrom(address, name);
  // The browser reads the file after this function returns.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The day, for use in file names. */
export const today = () => {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
};

/** Copies a text, and returns whether that was possible. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

// The clipboard API is missing in pages that came over plain HTTP from another machine.
function copyBySelection(text) {
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  field.className = "spoken";
  field.readOnly = true;
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    focused?.focus({ preventScroll: true });
  }
}
