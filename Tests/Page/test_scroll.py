"""Scrolling through all images: few tiles in the document, both shapes, keys, and what goes wrong on the way."""

import shutil

from selenium.webdriver.common.keys import Keys

from harness import PICTURES, PageTest, Server, png

QUERY = "white top and black trousers"

# The boxes of the images in sight, row by row.
ROWS = """
const rows = new Map();
for (const frame of document.querySelectorAll("#grid .tile .frame")) {
  const { left, right, top, width, height } = frame.getBoundingClientRect();
  if (!rows.has(Math.round(top))) rows.set(Math.round(top), []);
  const picture = frame.querySelector("img");
  rows.get(Math.round(top)).push({ left, right, width, height, ratio: picture.naturalWidth / picture.naturalHeight,
    side: Number(new URL(picture.currentSrc || "x:?side=0").searchParams.get("side")), loaded: frame.closest(".loaded") !== null });
}
return [...rows].sort(([a], [b]) => a - b).map(([, row]) => row);
"""

# Whether the tiles reach to the lower edge of the window, or to the end of the grid.
COVERED = """
const lowest = Math.max(...[...document.querySelectorAll("#grid .tile")].map((tile) => tile.getBoundingClientRect().bottom));
return lowest >= Math.min(innerHeight, document.getElementById("grid").getBoundingClientRect().bottom - 40);
"""


class ScrollTests(PageTest):
    def total(self):
        return self.server.get("/api/images?limit=1")["total"]

    def scroll_through(self):
        """Scrolls to the end step by step; the ids of all tiles that were there, and the most at once."""
        seen, most = {}, 0
        while True:
            is_over = self.run_script("""
                return document.getElementById("further").hidden
                  && scrollY + innerHeight >= document.documentElement.scrollHeight - 1""")
            ids = [tile["id"] for tile in self.tiles()]
            most = max(most, len(ids))
            seen.update(dict.fromkeys(ids))
            if is_over:
                return list(seen), most
            self.run_script("scrollBy(0, innerHeight * .8)")
            self.until(lambda: self.run_script(COVERED))

    def test_a_gallery_to_its_end(self):
        for size, bound in (((1280, 900), 60), ((390, 844), 60)):
            self.dress(*size)
            self.open()
            seen, most = self.scroll_through()
            self.assertEqual(len(seen), self.total(), "every image was there")
            self.assertEqual(seen, [image["id"] for image in self.server.get("/api/images?limit=1000")["images"]])
            self.assertLess(most, bound, "tiles in the document")
            self.assertGreater(self.run_script("return document.documentElement.scrollHeight"), 5000)

    def test_a_search_to_its_end(self):
        self.open(q=QUERY, fold="no")
        wanted = self.server.post("/api/search", text=QUERY, count=1000, candidates=64)["results"]
        seen, most = self.scroll_through()
        self.assertEqual(seen, [result["id"] for result in sorted(wanted, key=lambda result: result["rank"])])
        self.assertLess(most, 60)
        # The line stands once, before the first that was not compared.
        self.run_script("document.querySelector('.break').scrollIntoView({ block: 'center' })")
        self.until(lambda: self.run_script("return document.querySelector('.break').nextElementSibling?.ariaPosInSet") == "65")
        self.assertEqual(self.run_script("return document.querySelector('.break').previousElementSibling.ariaPosInSet"), "64")
        self.assertEqual(len(self.all(".break")), 1)
        self.assertIn("first impression", self.text(".break"))
        after = self.run_script("return document.querySelector('.break').nextElementSibling.querySelector('.value').textContent")
        self.assertEqual(after, "", "what was not compared has no percentage")
        self.photograph("not-compared")
        self.find("body").send_keys("o")
        self.assertEqual(self.all(".break"), [], "the first impression is one order for all")

    def test_a_folded_search_to_its_end(self):
        self.open(q=QUERY)
        seen, _ = self.scroll_through()
        self.assertEqual(len(seen), len(set(seen)), "an image is there twice")
        # Page by page, as the page asks: what is folded is named by what stands for it.
        whole, shown, offset = set(), set(), 0
        while offset is not None:
            part = self.server.post(
                "/api/search", text=QUERY, count=64, candidates=64, fold=True, offset=offset)
            shown |= {result["id"] for result in part["results"]}
            whole |= {each["id"] for result in part["results"] for each in [result, *result["duplicates"]]}
            offset = part["next_offset"]
        self.assertEqual(len(whole), 201)
        self.assertGreater(len(set(seen) & shown), len(shown) - 5)
        self.assertFalse(self.find("#further").is_displayed(), "there is no more")

    def test_the_end_waits_for_what_comes(self):
        # More images come while the end of the page is in sight: they stand below, and nothing moves.
        self.dress(height=400)
        self.open([{"path": "api/images?offset=64", "times": 1, "holds": True}])
        self.run_script("scrollTo(0, document.documentElement.scrollHeight)")
        self.until_held()
        last = self.seen()[-1]
        before = self.run_script("scrollTo(0, document.documentElement.scrollHeight); return scrollY")
        self.release()
        self.until(lambda: self.fetched() > 64)
        # The browser adjusts a scroll in the next frame.
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        self.assertEqual(self.run_script("return scrollY"), before)
        self.assertIn(last, self.seen())

    def test_a_page_that_does_not_come(self):
        self.expected = ["503"]
        self.dress(height=400)
        for query, path in (({}, "api/images?offset=64"), ({"q": QUERY}, "api/search")):
            problem = {"path": path, "times": 1, "status": 503, "body": {"detail": "too many at once"}}
            self.open(**query)
            self.run_script("window.rules = arguments[0]; rules.splice(0, 0)", [problem])
            self.run_script("rules.length && scrollTo(0, document.documentElement.scrollHeight)")
            self.until(lambda: self.text("#more-problem"))
            self.assertEqual(self.text("#more-problem"), "The next images could not be loaded. too many at once")
            self.assertEqual(self.text("#more"), "Try again")
            self.assertTrue(self.tiles(), "what came before stays")
            self.assertFalse(self.find("#trouble").is_displayed())
            asked = len(self.asked(path))
            self.run_script("scrollBy(0, -50); scrollBy(0, 50)")
            self.photograph("more-failed")
            self.assertEqual(len(self.asked(path)), asked, "it does not ask again by itself")
            self.run_script("document.getElementById('more').focus()")
            self.press(Keys.ENTER)
            self.until(lambda: self.fetched() > 64)
            self.assertEqual(self.text("#more-problem"), "")
            # The focus goes on to what came.
            self.until(lambda: self.run_script("return document.activeElement.closest('.tile')?.ariaPosInSet") == "65")

    def test_squares_are_remembered(self):
        self.open()
        control = self.find("#squares")
        self.assertEqual(control.get_attribute("aria-pressed"), "false")
        control.click()
        self.assertEqual(control.get_attribute("aria-pressed"), "true")
        row = self.run_script(ROWS)[0]
        self.assertTrue(all(abs(box["width"] - box["height"]) < 1 for box in row), row)
        self.driver.refresh()
        self.settle()
        self.assertEqual(self.find("#squares").get_attribute("aria-pressed"), "true")
        ids = [tile["id"] for tile in self.tiles()]
        columns = len(self.run_script(ROWS)[0])
        self.run_script("document.querySelector('.tile .open').focus()")
        for key, place in ((Keys.ARROW_DOWN, columns), (Keys.ARROW_RIGHT, columns + 1), (Keys.ARROW_UP, 1)):
            self.press(key)
            self.assertEqual(self.focus(), ids[place])


class ShapeTests(PageTest):
    """A gallery of images in many shapes."""

    sizes = ((640, 480), (480, 640), (800, 400), (500, 500), (300, 900), (900, 300), (640, 427), (427, 640))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder, index = PICTURES / "shapes", PICTURES / "shapes.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        folder.mkdir()

        for number in range(40):
            width, height = cls.sizes[number % len(cls.sizes)]
            (folder / f"{number:03}.png").write_bytes(png(width, height, 6 * number))
        cls.shapes = Server("--photos", str(folder), "--index", str(index))

    @classmethod
    def tearDownClass(cls):
        cls.driver.get(cls.server.address + "/")
        cls.shapes.stop()

    def setUp(self):
        super().setUp()
        self.until(lambda: self.shapes.get("/api/images?limit=1")["total"] == 40)

    def loaded(self):
        """The rows, once every image in the document is there."""
        def ready():
            rows = self.run_script(ROWS)
            return rows if rows and all(box["loaded"] for row in rows for box in row) else None
        return self.until(ready)

    def test_rows_of_images_in_their_own_shapes(self):
        for width, height, touch in ((1280, 900, False), (820, 1000, True), (390, 844, True), (320, 600, True)):
            self.dress(width, height, touch=touch)
            self.open(server=self.shapes)

            def justified():
                rows = self.loaded()
                within = [abs(box["width"] / box["height"] - min(max(box["ratio"], 0.5), 3)) < 0.03 for row in rows for box in row]
                return rows if all(within) else None

            rows = self.until(justified)
            across = self.run_script("return document.getElementById('grid').getBoundingClientRect().toJSON()")
            for row in rows[:-1]:
                self.assertLess(max(box["height"] for box in row) - min(box["height"] for box in row), 1)
                self.assertAlmostEqual(row[0]["left"], across["left"], delta=1)
                self.assertAlmostEqual(row[-1]["right"], across["right"], delta=1)
            overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            self.assertLessEqual(self.run_script(overflow), 0)
            self.photograph(f"shapes-{width}")

    def test_enough_pixels(self):
        self.dress(390, 844, touch=True)
        self.open(server=self.shapes)
        for row in self.loaded():
            for box in row:
                longest = 2 * max(box["width"], box["height"] * box["ratio"], box["height"], box["width"] / box["ratio"])
                self.assertGreaterEqual(box["side"], min(longest, 1024) * 0.95, box)

    def test_arrows_lead_to_the_nearest(self):
        self.open(server=self.shapes)
        rows = self.loaded()
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
        middle = (rows[0][1]["left"] + rows[0][1]["right"]) / 2
        nearest = min(range(len(rows[1])), key=lambda n: abs((rows[1][n]["left"] + rows[1][n]["right"]) / 2 - middle))
        place = int(self.run_script("return document.activeElement.closest('.tile').ariaPosInSet")) - 1
        self.assertEqual(place, len(rows[0]) + nearest)
