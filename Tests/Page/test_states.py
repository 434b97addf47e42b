"""What the page says when it has nothing to show, and what it does when things change."""

from harness import PageTest, Server

QUERY = "white top and black trousers"


class StateTests(PageTest):
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
        self.assertTrue(self.tiles())

    def test_bad_condition(self):
        self.expected = ["400"]
        self.open(q=QUERY, where="nonsense")
        title, detail = self.trouble()
        self.assertEqual(title, "The search is not valid")
        self.assertIn("nonsense", detail)
        self.assertEqual(self.tiles(), [])
        self.assertEqual(self.find("#grid").size["height"], 0, "no room is kept for results")
        self.assertIn(detail, self.text("#live"))
        self.photograph("error")
        self.find("#chips button").click()
        self.settle()
        self.assertFalse(self.find("#trouble").is_displayed())
        self.assertTrue(self.tiles())

    def test_words_that_say_nothing(self):
        self.expected = ["422"]
        self.open(q="!!!")
        title, detail = self.trouble()
        self.assertEqual(title, "These words cannot be searched for")
        self.assertIn("other words", detail)
        self.find("#language").click()
        self.until(lambda: self.trouble() == ("无法按这段文字搜索", "其中没有模型能读懂的文字或数字，请换个说法。"))

    def test_problems_are_told_by_their_kind(self):
        for kind, status, title in (
                ("unsupported-picture", 422, "The image cannot be read"), ("timed-out", 504, "The request took too long"),
                ("invalid-request", 400, "The search is not valid"), ("new-one", 422, "As the server calls it")):
            body = {"type": f"urn:albef:problem:{kind}", "title": "As the server calls it", "detail": "why"}
            self.open([{"path": "api/search", "times": 1, "status": status, "body": body}], q=QUERY)
            self.assertEqual(self.trouble(), (title, "why"))

    def test_retry(self):
        problem = {"status": 500, "body": {"title": "Something went wrong", "detail": "the log knows more"}}
        self.open([{"path": "api/search", "times": 1, **problem}], q=QUERY)
        self.assertEqual(self.trouble(), ("Something went wrong", "the log knows more"))
        self.find("#trouble button").click()
        self.settle()
        self.assertTrue(self.tiles())

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
        self.until(self.tiles)
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
        self.assertEqual(self.trouble()[1], "The server answered with status 502 and gave no reason.")
        self.run_script("document.querySelector('#trouble button').click()")
        self.until(self.tiles)

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
            self.until(self.tiles)
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
        self.assertTrue(self.tiles())

    def test_notes(self):
        self.open(q="black top " * 150)
        self.assertIn("too long for the model", self.text("#notes"))
        for fault, words in (("is_trained", "not trained"), ("matches", "cannot compare")):
            model = {"path": "api/index", "times": 9, "patch": {"model": {fault: False}}}
            self.open([model], q=QUERY)
            self.until(lambda: words in self.text("#notes"))

    def test_nothing_matches_well(self):
        self.open(q="qwrtzx")
        self.assertEqual(
            self.text("#doubt"), "Nothing here matches well. The model does not know “qwrtzx”. These come closest.")
        self.assertTrue(self.tiles(), "the best guesses stay")
        self.assertEqual(self.text("#notes"), "")
        self.assertIn("Nothing here matches well", self.text("#live"))
        self.assertEqual(self.opacity(), "0.7")
        self.photograph("nothing-well")
        # A search that finds something takes it away, and browsing does.
        self.type_query(QUERY)
        self.assertFalse(self.find("#doubt").is_displayed())
        self.assertEqual(self.opacity(), "1")
        self.assertNotIn("matches well", self.text("#live"))
        words = ["<b>", *(f"{n}" * 50 for n in range(9))]
        found = {"path": "api/search", "times": 1, "patch": {"matches_well": False, "reading": {"unknown_words": words}}}
        self.open([found], q=QUERY)
        self.assertIn(f"does not know “<b>”, “{'0' * 40}…”, ", self.text("#doubt"))
        self.assertIn("… and 4 more. These", self.text("#doubt").replace("”", ""))
        # Words that are known, of which the calibration says that nothing here shows them.
        found = {"path": "api/search", "times": 1, "patch": {"matches_well": False}}
        self.open([found], q=QUERY)
        self.assertEqual(self.text("#doubt"), "Nothing here matches well. These come closest.")
        self.find("#home").click()
        self.settle()
        self.assertFalse(self.find("#doubt").is_displayed())
        self.dress(language="zh-CN", width=360, height=740, scheme="dark")
        self.open(q="海狗")
        self.assertEqual(self.text("#doubt"), "没有很匹配的图片。 模型不认识“海狗”。以下是最接近的。")
        self.photograph("nothing-well-chinese")

    def opacity(self):
        """How pale the first image is."""
        self.until(lambda: self.run_script("return document.querySelector('.tile.loaded') !== null"))
        return self.run_script("return getComputedStyle(document.querySelector('.tile.loaded img')).opacity")

    def test_what_the_model_knows(self):
        self.open()
        self.until(lambda: self.find("#knows").is_displayed())
        self.assertEqual(
            self.text("#knows"), "wardrobe: drawn scenes of people in clothes; it knows no photos")
        self.assertNotIn("wardrobe", self.text("#about"))
        self.assertIn("yellow toy duck", self.text("#examples"))
        self.photograph("knows")
        model = {"name": "a", "knows": "<i>one</i>", "recall": {"name": "b", "knows": "two"}}
        self.open([{"path": "api/index", "times": 9, "patch": {"model": model}}])
        self.until(lambda: "a: <i>one</i> · b: two" == self.text("#knows"))
        self.assertNotIn("yellow toy duck", self.text("#examples"), "the examples are for that model")
        self.assertIn("a dog running in the snow", self.text("#examples"))
        self.open([{"path": "api/index", "times": 9, "patch": {"model": {"knows": None}}}])
        self.until(lambda: "Model: wardrobe" in self.text("#about"))
        self.assertFalse(self.find("#knows").is_displayed())

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

    def test_a_change_of_the_model(self):
        change = {"model": "new", "encoded": 30, "images": 120, "error": None}
        self.open([{"path": "api/index", "times": 9, "patch": {"change": change, "indexing": None}}])
        self.until(lambda: self.find("#indexing").is_displayed())
        self.assertEqual(self.text("#indexing-text"), "Encoding the images for the model new: 30 of 120")
        self.assertEqual(self.run_script("return document.getElementById('indexing-bar').position"), 30 / 120)

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
