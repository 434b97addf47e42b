"""Going back and forth: the open image, the place on the page, and their addresses."""

from selenium.webdriver.common.keys import Keys

from harness import PageTest

QUERY = "white top and black trousers"


class HistoryTests(PageTest):
    def is_open(self):
        return self.find("#viewer").is_displayed()

    def open_tile(self, number):
        self.all(".tile .open")[number].click()
        self.until(self.is_open)
        return self.tiles()[number]

    def scroll_to(self, y):
        self.run_script("scrollTo({ top: arguments[0] })", y)
        self.assertEqual(self.y(), y)

    def y(self):
        return self.run_script("return Math.round(scrollY)")

    def test_back_closes_the_open_image(self):
        for phone in (False, True):
            self.dress(width=360, height=740, touch=True) if phone else self.dress()
            self.open()
            self.type_query(QUERY)
            searches = len(self.asked("api/search"))
            tile = self.open_tile(2)
            self.assertIn(f"view={tile['id']}", self.driver.current_url)
            self.assertIn("q=white", self.driver.current_url)
            self.press(Keys.ARROW_RIGHT)
            self.until(lambda: self.tiles()[3]["id"] in self.driver.current_url)
            self.driver.back()
            self.until(lambda: not self.is_open())
            self.assertIn("q=white", self.driver.current_url)
            self.assertNotIn("view=", self.driver.current_url)
            self.until(lambda: self.focus() == self.tiles()[3]["id"])
            # Forward opens it again; nothing was searched anew for that.
            self.driver.forward()
            self.until(self.is_open)
            self.assertEqual(self.text("#viewer-name"), self.tiles()[3]["name"])
            self.assertEqual(len(self.asked("api/search")), searches)

    def test_closing_leaves_nothing_in_the_history(self):
        close = {
            "key": lambda: self.press(Keys.ESCAPE),
            "button": lambda: self.find("#viewer-close").click(),
            "browser": lambda: self.run_script("document.getElementById('viewer').close()"),
            "outside": lambda: self.run_script("document.getElementById('viewer').click()"),
        }
        for way in close.values():
            self.open()
            self.type_query(QUERY)
            entries = self.run_script("return history.length")
            self.open_tile(0)
            way()
            self.until(lambda: not self.is_open() and "view=" not in self.driver.current_url)
            self.open_tile(1)
            way()
            self.until(lambda: not self.is_open() and "view=" not in self.driver.current_url)
            self.until(lambda: self.focus() == self.tiles()[1]["id"])
            self.assertEqual(self.run_script("return history.length"), entries + 1, "one entry, which is ahead")
            self.driver.back()
            self.until(lambda: "images" in self.text("#summary"))

    def test_an_open_image_has_an_address(self):
        result = self.server.post("/api/search", text=QUERY, count=64, candidates=64)["results"][30]
        self.open(q=QUERY, view=result["id"])
        self.until(self.is_open)
        self.assertEqual(self.text("#viewer-name"), result["name"])
        entries = self.run_script("return history.length")
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.is_open())
        self.assertNotIn("view=", self.driver.current_url)
        self.assertEqual(self.run_script("return history.length"), entries, "closing does not leave the page")
        # One that was not fetched yet is shown alone.
        image = self.server.get("/api/images?offset=150&limit=1")["images"][0]
        self.open(view=image["id"])
        self.until(self.is_open)
        self.assertEqual(self.text("#viewer-name"), image["name"])
        self.assertEqual(self.text("#viewer-position"), "1 of 1")

    def test_an_open_image_that_is_gone_is_said(self):
        self.expected = ["404"]
        self.open(view="0" * 32)
        self.until(lambda: "no longer here" in self.text("#notes"))
        self.assertFalse(self.is_open())
        self.assertNotIn("view=", self.driver.current_url)
        self.assertTrue(self.tiles())

    def test_similar_from_an_open_image(self):
        self.open(q=QUERY)
        tile = self.open_tile(1)
        self.find("#viewer-similar").click()
        self.until(lambda: f"image={tile['id']}" in self.driver.current_url)
        self.settle()
        self.until(lambda: not self.is_open())
        self.driver.back()
        self.until(self.is_open)
        self.assertEqual(self.text("#viewer-name"), tile["name"])
        self.driver.back()
        self.until(lambda: not self.is_open())
        # From one open image to another, past the search between them.
        self.driver.execute_script("history.go(2)")
        self.until(lambda: "image=" in self.driver.current_url and self.tiles()[0]["id"] == tile["id"])
        self.settle()
        self.open_tile(1)
        self.driver.execute_script("history.go(-2)")
        self.until(lambda: f"view={tile['id']}" in self.driver.current_url and self.is_open())
        self.assertEqual(self.text("#viewer-name"), tile["name"])

    def test_the_place_is_kept(self):
        self.open(q=QUERY)
        self.until(lambda: self.go_down() >= 128)
        self.scroll_to(2900)
        seen = self.until(self.seen)
        self.run_script("document.querySelector(`.tile[data-id='${arguments[0]}'] .similar`).click()", seen[0])
        self.until(lambda: "image=" in self.driver.current_url)
        self.settle()
        self.assertEqual(self.y(), 0)
        self.scroll_to(300)
        self.driver.back()
        self.until(lambda: "q=white" in self.driver.current_url and self.y() == 2900)
        self.assertEqual(self.seen(), seen)
        self.driver.forward()
        self.until(lambda: "image=" in self.driver.current_url and self.y() == 300)

    def test_the_place_is_kept_while_browsing(self):
        self.open()
        total = self.server.get("/api/images?limit=1")["total"]
        self.until(lambda: self.go_down() == total)
        self.run_script("scrollBy(0, -700)")
        y, seen = self.y(), self.until(self.seen)
        self.run_script("document.querySelector(`.tile[data-id='${arguments[0]}'] .similar`).click()", seen[0])
        self.until(lambda: "image=" in self.driver.current_url)
        self.settle()
        self.driver.back()
        self.until(lambda: self.seen() == seen)
        self.assertEqual(self.y(), y)
        # A reload keeps it, too.
        self.driver.refresh()
        self.settle()
        self.until(lambda: self.seen() == seen)
        self.assertEqual(self.fetched(), total)
        # In a window of another width the same image is at the top, as far as rows allow.
        self.dress(width=820)
        self.until(lambda: seen[0] in self.seen()[:4])

    def go_down(self):
        """Scrolls to the end of what was fetched; how much that is."""
        self.run_script("scrollTo(0, document.documentElement.scrollHeight)")
        return self.fetched()
