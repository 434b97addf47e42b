"""What the page says when it has nothing to show, and what it does when things change."""

import time

from harness import PageTest, Server

QUERY = "white top and black trousers"


class StateTests(PageTest):
    def trouble(self):
        self.until(lambda: self.find("#trouble").is_displayed())
        return self.text("#trouble-title"), self.text("#trouble-detail")

    def test_loading(self):
        self.open([{"path": "api/search", "times": 1, "wait": 900}])
        self.find("#text").send_keys(QUERY + "\n")
        self.assertEqual(self.find("#grid").get_attribute("aria-busy"), "true")
        self.assertGreater(len(self.all(".skeleton")), 3)
        self.photograph("loading")
        self.assertEqual(self.text("#summary"), "Searching")
        self.settle()
        self.assertEqual(self.all(".skeleton"), [])
        self.assertEqual(len(self.tiles()), 24)

    def test_bad_condition(self):
        self.expected = ["400"]
        self.open(q=QUERY, where="nonsense")
        title, detail = self.trouble()
        self.assertEqual(title, "The query cannot be read")
        self.assertIn("nonsense", detail)
        self.assertEqual(self.tiles(), [])
        self.assertIn(detail, self.text("#live"))
        self.photograph("error")
        self.find("#chips button").click()
        self.settle()
        self.assertFalse(self.find("#trouble").is_displayed())
        self.assertEqual(len(self.tiles()), 24)

    def test_retry(self):
        problem = {"status": 500, "body": {"title": "Something went wrong", "detail": "the log knows more"}}
        self.open([{"path": "api/search", "times": 1, **problem}], q=QUERY)
        self.assertEqual(self.trouble(), ("Something went wrong", "the log knows more"))
        self.find("#trouble button").click()
        self.settle()
        self.assertEqual(len(self.tiles()), 24)

    def test_retry_after_is_honoured(self):
        body = {"title": "Too busy", "detail": "too many at once"}
        problem = {"status": 503, "headers": {"Retry-After": "2"}, "body": body}
        self.open([{"path": "api/search", "times": 1, **problem}], q=QUERY)
        start = time.monotonic()
        self.assertEqual(self.trouble(), ("The server is busy", "too many at once"))
        self.assertFalse(self.find("#trouble button").is_enabled())
        self.assertRegex(self.text("#trouble button"), r"in [12] s")
        self.until(lambda: len(self.tiles()) == 24)
        self.assertGreater(time.monotonic() - start, 1.5)

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
            self.open([{"path": "api/search", "times": 1, "wait": 600, "deaf": deaf}])
            field = self.find("#text")
            field.send_keys("yellow toy duck\n")
            field.clear()
            field.send_keys(QUERY + "\n")
            self.until(lambda: len(self.tiles()) == 24)
            time.sleep(0.8)
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
        self.assertIn("its end was left out", self.text("#notes"))
        self.open(q="qwrtzx")
        self.assertIn("knows no word", self.text("#notes"))
        for fault, words in (("is_trained", "not trained"), ("matches", "another model")):
            model = {"path": "api/index", "times": 9, "patch": {"model": {fault: False}}}
            self.open([model], q=QUERY)
            self.until(lambda: words in self.text("#notes"))

    def test_indexing_and_a_new_generation(self):
        running = {"done": 12, "total": 300, "failed": 1, "is_running": True, "last": "a.jpg"}
        first = {"path": "api/index", "times": 1, "patch": {"indexing": running}}
        then = {"path": "api/index", "times": 9, "patch": {"generation": 123456}}
        self.open([first, then], q=QUERY)
        self.until(lambda: self.find("#indexing").is_displayed())
        self.assertEqual(self.text("#indexing-text"), "Indexing 12 of 300 · 1 could not be read")
        self.assertEqual(self.run_script("return document.getElementById('indexing-bar').position"), 12 / 300)
        self.photograph("indexing")
        # While indexing runs the page asks again after two seconds.
        self.until(lambda: "The index has changed" in self.text("#notes"), seconds=4)
        self.assertFalse(self.find("#indexing").is_displayed())
        before = len(self.asked())
        self.find("#notes button").click()
        self.settle()
        self.assertEqual(len(self.asked()), before + 1)

    def asked(self):
        return self.run_script(
            "return performance.getEntriesByType('resource').filter((e) => e.name.endsWith('api/search'))")

    def test_a_hidden_page_does_not_ask(self):
        running = {"patch": {"indexing": {"done": 1, "total": 2, "failed": 0, "is_running": True, "last": None}}}
        self.open([{"path": "api/index", "times": 99, **running}])
        self.until(lambda: self.find("#indexing").is_displayed())
        self.run_script("""
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"))""")
        left = self.run_script("return rules[0].times")
        time.sleep(2.3)
        self.assertEqual(self.run_script("return rules[0].times"), left)
        self.run_script("""
            Object.defineProperty(document, "hidden", { value: false, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"))""")
        self.until(lambda: self.run_script("return rules[0].times") < left)
