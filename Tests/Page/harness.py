"""A server, a browser, and what the page's tests ask of them.

ALBEF names the program; ALBEF_SERVE is the command that serves a gallery, `albef serve` by default.
"""

import json
import os
import shlex
import shutil
import struct
import subprocess
import time
import unittest
import urllib.parse
import urllib.request
import zlib
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "out/page"
ALBEF = os.environ.get("ALBEF", ".build/release/albef")
SERVE = shlex.quote(ALBEF) + " serve"
GALLERY = ("--index", "out/page/index")

# Runs before the page's own scripts: notes what the policy refused, what was asked and the pauses
# that were made, and lets a test answer for the server. A rule is {path, times, status, headers, body} or, instead of a body,
# {patch} of the true answer. A rule with {holds} waits until the test says release(); if it is
# {deaf} too, it does not heed that the page gives the request up.
PROLOGUE = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
window.rules = JSON.parse(sessionStorage.getItem("rules") ?? "[]");
window.pauses = [];
const later = window.setTimeout;
window.setTimeout = (act, pause) => (pauses.push(pause), later(act, pause));
window.asked = [];
window.answered = [];
window.held = [];
window.release = () => held.splice(0).forEach((go) => go());
const real = window.fetch;
const merge = (into, patch) => {
  for (const [name, value] of Object.entries(patch)) {
    if (value && typeof value === "object" && into[name]) merge(into[name], value);
    else into[name] = value;
  }
  return into;
};
window.fetch = async (path, options) => {
  const response = await answer(path, options);
  answered.push(path);
  return response;
};
const answer = async (path, options = {}) => {
  asked.push({ path, headers: options.headers ?? {}, body: typeof options.body === "string" ? options.body : null });
  const rule = rules.find((rule) => path.startsWith(rule.path) && rule.times > 0);
  if (!rule) return real(path, options);
  rule.times -= 1;
  if (rule.holds) {
    await new Promise((resolve, reject) => {
      held.push(resolve);
      if (!rule.deaf) options.signal?.addEventListener("abort", () => reject(options.signal.reason));
    });
  }
  if (rule.deaf) options = { ...options, signal: undefined };
  if (rule.patch) {
    const given = await (await real(path, options)).json();
    return new Response(JSON.stringify(merge(given, rule.patch)), { status: 200 });
  }
  if (!rule.status) return real(path, options);
  return new Response(JSON.stringify(rule.body ?? {}), { status: rule.status, headers: rule.headers ?? {} });
};
"""


def help_text():
    """What the program says of `albef serve`."""
    command = shlex.split(os.environ.get("ALBEF_SERVE", SERVE)) + ["--help"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


class Server:
    """The server of a gallery, in a process of its own; it prints where it listens.

    No model is the one that answers where nobody names one.
    """

    def __init__(self, *arguments, model="wardrobe"):
        command = shlex.split(os.environ.get("ALBEF_SERVE", SERVE))
        command += [*(arguments or GALLERY), *(("--model", model) if model else ()), "--port", "0"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = ""
        for line in self.process.stdout:
            if "http://" in line:
                self.address = line[line.index("http://"):].split()[0].rstrip("/")
                break
        if not self.address:
            raise RuntimeError(f"{command[0]} did not say where it listens")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def get(self, path):
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return json.load(answer)

    def post(self, path, **fields):
        request = urllib.request.Request(
            self.address + path, json.dumps(fields).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def browser(*arguments, is_watched=True):
    """A browser; one that is watched notes what its pages ask and say, which takes time and memory."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--force-color-profile=srgb", *arguments):
        options.add_argument(argument)
    options.page_load_strategy = "eager"
    if is_watched:
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    if is_watched:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": PROLOGUE})
    return driver


class PageTest(unittest.TestCase):
    """A page, freshly opened for each test in one browser on one server.

    After each test: nothing in the console but what the test expects, nothing that the policy
    refused, and no request to anywhere else.
    """

    maxDiff = None
    server = None
    driver = None

    @classmethod
    def setUpClass(cls):
        if PageTest.server is None:
            PICTURES.mkdir(parents=True, exist_ok=True)
            PageTest.server = Server()
            PageTest.driver = browser()

    def setUp(self):
        self.expected = []
        self.addresses = {self.server.address}
        self.dress()
        if not self.driver.current_url.startswith(self.server.address):
            self.driver.get(self.server.address + "/")
        self.run_script("localStorage.clear(); sessionStorage.clear()")
        # A browser keeps 50 entries, of all tests together; tests count their own.
        self.command("Page.resetNavigationHistory")
        self.logs()

    def tearDown(self):
        messages, addresses = self.logs()
        unexpected = [text for text in messages if not any(part in text for part in self.expected)]
        self.assertEqual(unexpected, [], "the console")
        self.assertEqual(self.run_script("return window.violations ?? []"), [])
        own = (self.driver.current_url.split("/", 3)[:3])
        allowed = ("/".join(own), *self.addresses, "blob:", "data:")
        self.assertEqual([a for a in addresses if not a.startswith(allowed)], [])

    def logs(self):
        # "rendering" is advice about speed; reading a canvas is the tests' doing.
        messages = [entry["message"] for entry in self.driver.get_log("browser")
                    if entry["level"] in ("SEVERE", "WARNING") and entry["source"] != "rendering"]
        addresses = []
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                addresses.append(event["params"]["request"]["url"])
        return messages, addresses

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def run_script(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def dress(self, width=1280, height=900, scheme="light", language="en-GB", motion="reduce", touch=False):
        """How large the window is, and what the visitor prefers."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=2 if touch else 1, mobile=touch)
        self.command("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion}])
        agent = self.run_script("return navigator.userAgent")
        self.command("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def open(self, rules=(), server=None, **query):
        """Opens the page of a server, which answers by rules where there are some."""
        address = (server or self.server).address
        self.addresses.add(address)
        if not self.driver.current_url.startswith(address + "/"):
            # What the tests note is kept by the page's origin.
            self.driver.get(address + "/")
        self.run_script("sessionStorage.setItem('rules', arguments[0])", json.dumps(list(rules)))
        # The browser takes the same address for a reload, and would keep the entry's state.
        self.run_script("history.replaceState(null, '')")
        fields = urllib.parse.urlencode(query, doseq=True)
        self.driver.get(address + "/" + (f"?{fields}" if fields else ""))
        self.settle()

    def leave(self):
        """Leaves a page, before its server stops, for that of the server that all tests share."""
        self.driver.get(self.server.address + "/")

    def settle(self):
        """Waits until the page has its answer, or trouble."""
        self.until(lambda: self.run_script(
            "return document.getElementById('grid').getAttribute('aria-busy') === 'false'"))

    def until(self, is_so, seconds=60):
        """Waits for a condition; the time only ends a wait in vain."""
        end = time.monotonic() + seconds
        while True:
            result = is_so()
            if result:
                return result
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.03)

    def until_held(self):
        """Waits until a request is held back."""
        self.until(lambda: self.run_script("return held.length > 0"))

    def release(self):
        self.run_script("release()")

    def asked(self, path):
        """What the page has asked of a path so far."""
        return self.run_script("return asked.filter((a) => a.path.startsWith(arguments[0]))", path)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run_script("return document.querySelector(arguments[0]).textContent", selector)

    def focus(self):
        """The name of what has the focus."""
        return self.run_script(
            "const a = document.activeElement; return a.closest('.tile')?.dataset.id ?? (a.id || a.textContent)")

    def press(self, *keys):
        """Types into whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def type_query(self, text):
        field = self.find("#text")
        field.clear()
        field.send_keys(text, Keys.ENTER)
        self.settle()

    def tiles(self):
        """What the tiles show that are in the document, in their order: those in sight, and some around."""
        return self.run_script("""
            return [...document.querySelectorAll("#grid .tile:not(.skeleton)")].map((tile) => ({
              id: tile.dataset.id, rank: Number(tile.dataset.rank), recall: Number(tile.dataset.recallRank),
              name: tile.dataset.name, caption: tile.querySelector(".name").textContent, place: tile.querySelector(".place").textContent,
              move: tile.querySelector(".move").textContent, value: tile.querySelector(".value").textContent,
              fill: tile.querySelector(".fill").style.width, label: tile.querySelector(".open").ariaLabel,
            }))""")

    def seen(self):
        """The ids of the tiles of which something is in sight."""
        return self.run_script("""
            return [...document.querySelectorAll("#grid .tile:not(.skeleton)")].filter((tile) => {
              const { top, bottom } = tile.getBoundingClientRect();
              return bottom > document.querySelector("header.top").offsetHeight && top < innerHeight;
            }).map((tile) => tile.dataset.id)""")

    def fetched(self):
        """How many images the page has fetched so far."""
        return int(self.find("#grid").get_attribute("data-count") or 0)

    def trouble(self):
        """The title and the detail of why there is nothing to show."""
        self.until(lambda: self.find("#trouble").is_displayed())
        return self.text("#trouble-title"), self.text("#trouble-detail")

    def photograph(self, name):
        self.until(lambda: self.run_script("""
            return [...document.querySelectorAll("#grid img")].every((image) => {
              const { top, bottom } = image.getBoundingClientRect();
              return image.complete || bottom < 0 || top > innerHeight;
            })"""))
        time.sleep(0.1)
        self.driver.save_screenshot(str(PICTURES / f"{name}.png"))


def png(width, height, shade):
    """An image of one colour, as the bytes of a file."""
    row = b"\0" + bytes((shade, 160, 255 - shade)) * width

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(row * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


def stop():
    """Ends the browser and the server that the tests shared."""
    if PageTest.driver:
        PageTest.driver.quit()
    if PageTest.server:
        PageTest.server.stop()
