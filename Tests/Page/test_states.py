"""What the page says when it has nothing to show, and what it does when things change."""

import shutil
import subprocess

from selenium.webdriver.common.keys import Keys

from harness import ALBEF, GALLERY, PICTURES, ROOT, PageTest, Server, help_text

QUERY = "white top and black trousers"


class StateTests(PageTest):
    def trouble(self):
        self.until(lambda: self.find("#trouble").is_displayed())
        return self.text("#trouble-title"), self.text("#trouble-detail")

    def test_loading(self):
        self.open([{"path": "api/search", "times": 1, "holds": True}])
        self.find("#text").send_keys(QUERY + "\n")
        self.until_held()
        self.assertEqual(self.find("#grid").get_attribute("aria-busy"), "true")
        self.assertGreater(len(self.all(".skeleton")), 3)
        self.photograph("loading")
        self.assertEqual(self.text("#summary"), "Searching")
        self.release()
        self.settle()
        self.assertEqual(self.all(".skeleton"), [])
        self.assertEqual(len(self.tiles()), 24)

    def test_bad_condition(self):
        self.expected = ["400"]
        self.open(q=QUERY, where="nonsense")
        title, detail = self.trouble()
        self.assertEqual(title, "The search cannot be read")
        self.assertIn("nonsense", detail)
        self.assertEqual(self.tiles(), [])
        self.assertIn(detail, self.text("#live"))
        self.photograph("error")
        self.find("#chips button").click()
        self.settle()
        self.assertFalse(self.find("#trouble").is_displayed())
        self.assertEqual(len(self.tiles()), 24)

    def test_words_that_say_nothing(self):
        self.expected = ["422"]
        self.open(q="!!!")
        title, detail = self.trouble()
        self.assertEqual(title, "These words cannot be searched")
        self.assertIn("other words", detail)
        self.find("#language").click()
        self.until(lambda: self.trouble() == ("无法按这段文字搜索", "其中没有模型能读懂的文字或数字，请换个说法。"))

    def test_problems_are_told_by_their_kind(self):
        for kind, status, title in (
                ("unsupported-picture", 422, "The image cannot be read"), ("timed-out", 504, "It took too long"),
                ("invalid-request", 400, "The search cannot be read"), ("new-one", 422, "As the server calls it")):
            body = {"type": f"urn:albef:problem:{kind}", "title": "As the server calls it", "detail": "why"}
            self.open([{"path": "api/search", "times": 1, "status": status, "body": body}], q=QUERY)
            self.assertEqual(self.trouble(), (title, "why"))

    def test_retry(self):
        problem = {"status": 500, "body": {"title": "Something went wrong", "detail": "the log knows more"}}
        self.open([{"path": "api/search", "times": 1, **problem}], q=QUERY)
        self.assertEqual(self.trouble(), ("Something went wrong", "the log knows more"))
        self.find("#trouble button").click()
        self.settle()
        self.assertEqual(len(self.tiles()), 24)

    def test_retry_after_is_honoured(self):
        body = {"title": "Too busy", "detail": "too many at once"}
        problem = {"status": 503, "headers": {"Retry-After": "600"}, "body": body}
        self.open([{"path": "api/search", "times": 1, **problem}])
        self.run_script("window.setInterval = (act) => { window.tick = act; return 0; }")
        self.find("#text").send_keys(QUERY + "\n")
        self.assertEqual(self.trouble(), ("The server is busy", "too many at once"))
        self.assertFalse(self.find("#trouble button").is_enabled())
        self.assertRegex(self.text("#trouble button"), r"in \d+ s")
        self.assertEqual(len(self.asked("api/search")), 1, "it does not ask before that")
        # The page's clock is moved on, not waited for.
        self.run_script("for (let second = 0; second < 600; second += 1) tick()")
        self.until(lambda: len(self.tiles()) == 24)
        self.assertEqual(len(self.asked("api/search")), 2)

    def test_stopped_server(self):
        self.expected = ["ERR_CONNECTION"]
        other = Server()
        try:
            self.driver.get(other.address + "/")
            self.settle()
        finally:
            other.stop()
        self.find("#text").send_keys(QUERY + "\n")
        title, detail = self.trouble()
        self.assertEqual(title, "The server does not answer")
        self.assertIn("keeps trying", detail)
        self.photograph("offline")
        self.logs()

    def test_server_that_comes_back(self):
        self.open([{"path": "api/images", "times": 1, "status": 502}])
        self.assertEqual(self.trouble()[1], "The server answered 502 and did not say why.")
        self.run_script("document.querySelector('#trouble button').click()")
        self.until(lambda: len(self.tiles()) == 24)

    def test_late_answers_are_dropped(self):
        results = self.server.post("/api/search", text=QUERY, count=64, candidates=64)["results"]
        best = min(results, key=lambda result: result["rank"])["id"]
        # The first search is slow: once it heeds that it is aborted, once it answers all the same.
        for deaf in (False, True):
            self.open([{"path": "api/search", "times": 1, "holds": True, "deaf": deaf}])
            field = self.find("#text")
            field.send_keys("yellow toy duck\n")
            self.until_held()
            field.clear()
            field.send_keys(QUERY + "\n")
            self.until(lambda: len(self.tiles()) == 24)
            self.release()
            if deaf:
                self.until(lambda: self.run_script("return answered.filter((path) => path === 'api/search').length >= 2"))
            self.assertEqual(self.tiles()[0]["id"], best)
            self.assertFalse(self.find("#trouble").is_displayed())

    def test_nothing_matches(self):
        self.open(q=QUERY, where="year=1800", min="0.95")
        title, detail = self.trouble()
        self.assertEqual(title, "Nothing matches")
        self.assertIn("95 %", detail)
        self.assertIn("year=1800", detail)
        self.photograph("nothing")
        for button in (0, 0):
            self.all("#trouble button")[button].click()
            self.settle()
        self.assertEqual(len(self.tiles()), 24)

    def test_notes(self):
        self.open(q="black top " * 150)
        self.assertIn("the end was left out", self.text("#notes"))
        self.open(q="qwrtzx")
        self.assertIn("does not know any of these words", self.text("#notes"))
        for fault, words in (("is_trained", "not trained"), ("matches", "cannot compare")):
            model = {"path": "api/index", "times": 9, "patch": {"model": {fault: False}}}
            self.open([model], q=QUERY)
            self.until(lambda: words in self.text("#notes"))

    def test_indexing_and_a_new_generation(self):
        running = {"done": 12, "total": 300, "failed": 1, "is_running": True, "last": "a.jpg"}
        first = {"path": "api/index", "times": 1, "patch": {"indexing": running}}
        then = {"path": "api/index", "times": 9, "patch": {"generation": 123456}}
        self.open([first, then], q=QUERY)
        self.until(lambda: self.find("#indexing").is_displayed())
        self.assertEqual(self.text("#indexing-text"), "Adding images: 12 of 300 · 1 file could not be read")
        self.assertEqual(self.run_script("return document.getElementById('indexing-bar').position"), 12 / 300)
        self.photograph("indexing")
        # While indexing runs the page asks again after two seconds.
        self.until(lambda: "The gallery has changed" in self.text("#notes"))
        self.assertFalse(self.find("#indexing").is_displayed())
        before = len(self.asked("api/search"))
        self.find("#notes button").click()
        self.settle()
        self.assertEqual(len(self.asked("api/search")), before + 1)

    def test_skipped_files(self):
        files = [{"path": f"holiday/<b>{n}</b>.jpg", "reason": "it ends too early"} for n in range(3)]
        skipped = {"skipped": {"count": 120, "files": files}, "indexing": None}
        self.open([{"path": "api/index", "times": 99, "patch": skipped}])
        self.until(lambda: "120 files were skipped" in self.text("#notes"))
        self.assertEqual(self.text("#show-skipped"), "120 files skipped")
        self.photograph("skipped-note")
        self.find("#notes button").click()
        self.until(lambda: self.find("#skipped").is_displayed())
        self.assertEqual(
            self.run_script("return [...document.querySelectorAll('#skipped li')].map((l) => [...l.children].map((c) => c.textContent))"),
            [[file["path"], file["reason"]] for file in files])
        self.assertEqual(self.text("#skipped-rest"), "and 117 more files")
        self.assertFalse(self.find("#skipped-kinds").is_displayed())
        self.photograph("skipped")
        self.press(Keys.ESCAPE)
        self.all("#notes button")[1].click()
        self.until(lambda: self.text("#notes") == "")
        # It was read: the note does not come again, and the list stays.
        self.open([{"path": "api/index", "times": 99, "patch": skipped}])
        self.until(lambda: self.find("#show-skipped").is_displayed())
        self.assertEqual(self.text("#notes"), "")
        self.find("#show-skipped").click()
        self.until(lambda: self.find("#skipped").is_displayed())
        # Other files were skipped since.
        more = {"skipped": {"count": 121, "files": files}, "indexing": None}
        self.open([{"path": "api/index", "times": 99, "patch": more}])
        self.until(lambda: "121 files were skipped" in self.text("#notes"))
        # Files of other kinds are no cause for a note.
        kinds = {"skipped": {"count": 0, "files": [], "passed_over": {"ico": 2, "mov": 1000}}, "indexing": None}
        self.open([{"path": "api/index", "times": 99, "patch": kinds}])
        self.until(lambda: self.text("#show-skipped") == "1,002 files skipped")
        self.assertEqual(self.text("#notes"), "")
        self.find("#show-skipped").click()
        self.assertEqual(self.text("#skipped-kinds"), "Files of kinds that are not read: 1000 × mov, 2 × ico")

    def test_a_folder_that_is_away(self):
        error = "/photos: there is no such directory"
        away = {"indexing": {"done": 0, "total": 0, "failed": 0, "is_running": False, "error": error}}
        for query in ({}, {"q": QUERY}):
            self.open([{"path": "api/index", "times": 99, "patch": away}], **query)
            self.until(lambda: error in self.text("#notes"))
            self.assertIn("image folder cannot be read", self.text("#notes"))
        self.photograph("folder-away")

    def test_images_appear_by_themselves(self):
        folder, index = PICTURES / "folder", PICTURES / "folder.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        folder.mkdir()
        scenes = sorted((PICTURES / "scenes/images").glob("*.jpg"))
        with Server("--index", str(index), "--photos", str(folder)) as own:
            self.open(server=own)
            self.assertEqual(self.trouble()[0], "There are no images yet")
            self.photograph("empty")
            # Nothing was there to be searched.
            self.find("#text").send_keys(QUERY + "\n")
            self.until(lambda: self.text("#trouble-title") == "There is nothing to search yet")
            self.assertNotIn("Other words", self.text("#trouble-detail"))
            self.photograph("empty-search")
            for scene in scenes[:5]:
                shutil.copy(scene, folder)
            self.until(lambda: len(self.tiles()) == 5)
            self.assertFalse(self.find("#trouble").is_displayed())
            self.leave()

    def test_an_empty_page_asks_often(self):
        self.open([{"path": "api/images", "times": 1, "status": 200, "body": {"total": 0, "images": []}},
                   {"path": "api/index", "times": 2, "patch": {"images": 0, "indexing": None}}])
        self.assertEqual(self.trouble()[0], "There are no images yet")
        # The next look is near even where nothing runs; then there are images.
        pauses = self.run_script("return pauses")
        self.assertTrue(pauses and max(pauses) <= 2000, pauses)
        self.until(lambda: len(self.tiles()) == 24)

    def test_files_that_are_gone(self):
        self.expected = ["404"]
        folder, index = PICTURES / "gone", PICTURES / "gone.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        folder.mkdir()
        for scene in sorted((PICTURES / "scenes/images").glob("*.jpg"))[:6]:
            shutil.copy(scene, folder)
        subprocess.run([ALBEF, "index", "add", str(folder), "--index", str(index)], cwd=ROOT, check=True,
                       capture_output=True)
        gone = sorted(folder.glob("*.jpg"))[2]
        gone.unlink()
        with Server("--index", str(index)) as own:
            self.open(server=own)
            self.until(lambda: self.all(".tile.lost"))
            tile = next(t for t in self.tiles() if t["name"] == gone.name)
            self.assertIn("No preview", tile["label"])
            self.assertEqual(len(self.all(".tile.lost")), 1)
            self.assertFalse(self.find(".tile.lost img").is_displayed(), "the browser's own sign is not shown")
            self.assertTrue(self.find(".tile.lost .gone svg").is_displayed())
            self.photograph("gone")
            self.find(".tile.lost .open").click()
            self.until(lambda: self.find("#viewer-gone").is_displayed())
            self.assertFalse(self.find("#viewer-picture").is_displayed())
            self.assertIn("moved or deleted", self.text("#viewer-gone"))
            self.photograph("gone-viewer")
            self.press(Keys.ARROW_LEFT)
            self.until(lambda: self.run_script("return document.getElementById('viewer-picture').naturalWidth > 0"))
            self.assertFalse(self.find("#viewer-gone").is_displayed())
            self.leave()

    def test_a_key_for_reading(self):
        body = {"type": "urn:albef:problem:unauthorized", "title": "A key is needed", "detail": "a key"}
        refused = {"status": 401, "body": body}
        rules = [{"path": path, "times": 2, **refused} for path in ("api/index", "api/images")]
        self.open(rules)
        self.until(lambda: self.find("#access").is_displayed())
        self.assertFalse(self.find("#trouble").is_displayed())
        self.assertEqual(self.focus(), "access-key")
        self.assertFalse(self.find("#access-error").is_displayed())
        self.photograph("access")
        self.press("wrong-key-wrong-key", Keys.ENTER)
        self.until(lambda: self.find("#access-error").is_displayed())
        self.assertNotIn("albef_key", self.run_script("return document.cookie"))
        self.assertTrue(self.find("#access").is_displayed())
        self.photograph("access-refused")
        self.find("#access-key").clear()
        self.find("#access-key").send_keys("right;key%right\n")
        self.until(lambda: len(self.tiles()) == 24)
        self.assertFalse(self.find("#access").is_displayed())
        self.assertEqual(self.asked("api/images")[-1]["headers"]["Authorization"], "Bearer right;key%right")
        # Images are asked for with a cookie, which other sites cannot have sent.
        cookie = next(c for c in self.driver.get_cookies() if c["name"] == "albef_key")
        self.assertEqual((cookie["value"], cookie["sameSite"], cookie["path"]), ("right%3Bkey%25right", "Strict", "/"))
        self.assertNotIn("expiry", cookie, "it goes with the browser")
        # The key lasts as long as the tab.
        self.driver.refresh()
        self.settle()
        self.assertIn("Authorization", self.asked("api/index")[0]["headers"])
        self.driver.delete_all_cookies()

    def test_a_service_that_asks_for_a_key(self):
        if "--read-key-file" not in help_text():
            self.skipTest("the program has no key for reading")
        self.expected = ["401"]
        key = PICTURES / "read.key"
        key.write_text("0123456789abcdef-read\n")
        with Server(*GALLERY, "--read-key-file", str(key)) as guarded:
            self.open(server=guarded)
            self.until(lambda: self.find("#access").is_displayed())
            self.find("#access-key").send_keys("0123456789abcdef-read\n")
            self.until(lambda: len(self.tiles()) == 24)
            self.until(lambda: self.run_script("return document.querySelector('.tile img').naturalWidth > 0"))
            self.find(".tile .open").click()
            self.until(lambda: self.run_script("return document.getElementById('viewer-picture').naturalWidth > 0"))
            # A browser that was closed has forgotten it.
            self.driver.delete_all_cookies()
            self.run_script("sessionStorage.clear()")
            self.driver.refresh()
            self.until(lambda: self.find("#access").is_displayed())
            self.leave()

    def test_a_hidden_page_does_not_ask(self):
        self.open()
        # From now on the page's timers are only noted.
        self.run_script("""
            window.timers = new Map();
            window.setTimeout = (act) => { timers.set(timers.size + 1e9, act); return timers.size + 1e9 - 1; };
            const clear = window.clearTimeout;
            window.clearTimeout = (timer) => { clear(timer); timers.delete(timer); };
            window.turn = (hidden) => {
              Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            };
            turn(false);""")
        self.until(lambda: self.run_script("return timers.size === 1"))
        self.run_script("turn(true)")
        self.assertEqual(self.run_script("return timers.size"), 0, "nothing is left that would ask")
        before = len(self.asked("api/index"))
        self.run_script("turn(false)")
        self.until(lambda: len(self.asked("api/index")) > before)
        self.until(lambda: self.run_script("return timers.size === 1"))
