// The key for reading, where the service asks for one.

const find = (id) => document.getElementById(id);
const storageName = "albef.key";
// The browser loads images without our header, but with this cookie.
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

/** The header fields that open the service. */
export const credentials = () => (key ? { Authorization: `Bearer ${key}` } : {});

/** Asks for the key instead of showing images. */
export class AccessForm {
  /** @param given is called when there is a key to try */
  constructor(given) {
    find("access").addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = find("access-key").value.trim();
      if (!typed) return;
      // A header cannot carry other letters, so no key has them.
      if (!/^[\x21-\x7e]+$/.test(typed)) return this.#refuse();
      use(typed);
      given();
    });
  }

  get isOpen() {
    return !find("access").hidden;
  }

  /** Shows the form; a key that was tried already was refused. */
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
