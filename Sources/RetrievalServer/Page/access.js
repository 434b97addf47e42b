// The key for reading, if the service requires one.

const find = (id) => document.getElementById(id);
const storageName = "albef.key";
// The browser loads images without the header, but with this cookie.
const cookieName = "albef_key";

function stored() {
  try {
    return sessionStorage.getItem(storageName);
  } catch {
    return null;
  }
}

let key = stored();

function writeCookie(value, more = "") {
  const path = new URL("./", document.baseURI).pathname;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${cookieName}=${encodeURIComponent(value)}; Path=${path}; SameSite=Strict${secure}${more}`;
}

function use(next) {
  key = next;
  try {
    if (key) sessionStorage.setItem(storageName, key);
    else sessionStorage.removeItem(storageName);
  } catch {
    // The key then lasts until the page is reloaded.
  }
  if (key) writeCookie(key);
  else writeCookie("", "; Max-Age=0");
}

if (key) use(key);

/** The header fields that carry the key. */
export const credentials = () => (key ? { Authorization: `Bearer ${key}` } : {});

/** The form that asks for the key and hides the images. */
export class AccessForm {
  /** @param given called when the visitor has entered a key */
  constructor(given) {
    find("access").addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = find("access-key").value.trim();
      if (!typed) return;
      // A header cannot carry other characters, so no key has them.
      if (!/^[\x21-\x7e]+$/.test(typed)) return this.#refuse();
      use(typed);
      given();
    });
  }

  get isOpen() {
    return !find("access").hidden;
  }

  /** Shows the form, with an error if the service refused a key before. */
  show() {
    const wasOpen = this.isOpen;
    find("access").hidden = false;
    if (key) this.#refuse();
    if (key || !wasOpen) find("access-key").select();
    use(null);
  }

  hide() {
    find("access").hidden = true;
    find("access-error").hidden = true;
    find("access-key").value = "";
  }

  #refuse() {
    find("access-error").hidden = false;
    find("access-key").select();
  }
}
