"""The dialog: facts, heat maps, keys, nearness, touch."""

import shutil

from selenium.webdriver.common.keys import Keys

from harness import PICTURES, PageTest, Server, png

QUERY = "white top and black trousers"

# The canvas as numbers: how many of its pixels can be seen, and a sum that tells maps apart.
READ = """
const canvas = document.getElementById("viewer-heat");
if (canvas.hidden) return { seen: 0, sum: 0 };
const { data } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height);
let seen = 0, sum = 0;
for (let i = 0; i < data.length; i += 4) {
  seen += data[i + 3] > 0;
  sum = (sum * 31 + data[i] * 7 + data[i + 3] * (i % 977)) % 1e9;
}
return { seen, sum, ratio: canvas.width / canvas.height };
"""


class ViewerTests(PageTest):
    def heat(self):
        return self.run_script(READ)

    def words(self):
        self.until(lambda: self.run_script(
            "return document.getElementById('words').getAttribute('aria-busy') === 'false'"))
        return self.all("#words button")

    def looked(self, name):
        """Whether the dialog shows this picture, with its heat."""
        return self.until(lambda: self.text("#viewer-name") == name and self.heat()["seen"])

    def facts(self):
        return dict(self.run_script("""
            return [...document.querySelectorAll("#viewer-facts div")].map((fact) =>
              [fact.querySelector("dt").textContent, fact.querySelector("dd").textContent])"""))

    def open_first(self):
        self.open(q=QUERY)
        self.find(".tile .open").click()
        self.looked(self.tiles()[0]["name"])

    def test_facts(self):
        self.open_first()
        result = next(r for r in self.server.post("/api/search", text=QUERY, count=64, candidates=64)["results"]
                      if r["rank"] == 1)
        facts = self.facts()
        self.assertRegex(facts["Match"], r"^>?\d+ %")
        self.assertTrue(facts["Rank"].startswith("1 "))
        self.assertEqual(facts["Rank at first impression"], str(result["recall_rank"]))
        self.assertAlmostEqual(float(facts["Similarity"]), result["similarity"], delta=0.001)
        self.assertEqual(facts["year"], str(result["metadata"]["year"]))
        shown = self.find(".tile").get_attribute("aria-setsize")
        self.assertEqual(self.text("#viewer-position"), f"1 of {shown}")
        self.assertTrue(self.find("#viewer-original").get_attribute("href").endswith("/original"))

    def test_heat(self):
        self.open_first()
        words = self.words()
        explained = self.server.post("/api/explain", image=self.tiles()[0]["id"], text=QUERY)
        self.assertEqual(
            self.run_script("return [...document.querySelectorAll('#words span')].map((s) => s.textContent)"),
            ["Whole sentence"] + [word["word"] for word in explained["words"]])
        self.assertEqual(words[0].get_attribute("aria-pressed"), "true")
        whole = self.heat()
        self.assertGreater(whole["seen"], 1000)
        picture = self.find("#viewer-picture")
        ratio = self.run_script("const p = arguments[0]; return p.naturalWidth / p.naturalHeight", picture)
        self.assertAlmostEqual(whole["ratio"], ratio, delta=0.02)
        self.assertEqual(self.find("#viewer-heat").rect, picture.rect, "the map lies on the picture")
        self.photograph("viewer-sentence")
        strong = sorted(range(len(explained["words"])), key=lambda i: explained["words"][i]["strength"])[-2:]
        maps = []
        for index in strong:
            words[index + 1].click()
            self.assertEqual(words[index + 1].get_attribute("aria-pressed"), "true")
            maps.append(self.heat())
        self.photograph("viewer-word")
        self.assertTrue(all(drawn["seen"] > 500 for drawn in maps))
        self.assertEqual(len({drawn["sum"] for drawn in [whole, *maps]}), 3, "each word has its own map")
        self.find("#heat-switch").click()
        self.assertEqual(self.heat()["seen"], 0)
        self.press("h")
        self.assertGreater(self.heat()["seen"], 0)

    def test_chinese_words_are_characters(self):
        self.open(q="白色上衣黑色裤子")
        self.find(".tile .open").click()
        self.looked(self.tiles()[0]["name"])
        words = self.run_script("return [...document.querySelectorAll('#words span')].map((s) => s.textContent)")
        self.assertEqual("".join(words[1:]), "白色上衣黑色裤子")

    def test_keys_alone(self):
        self.open(q=QUERY)
        tiles = self.tiles()
        self.press(*[Keys.TAB] * 3)
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press(Keys.ARROW_RIGHT, Keys.ENTER)
        self.looked(tiles[1]["name"])
        self.press(Keys.ARROW_RIGHT)
        self.looked(tiles[2]["name"])
        self.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
        self.looked(tiles[0]["name"])
        self.press(Keys.ARROW_RIGHT)
        self.looked(tiles[1]["name"])
        # From the switch, Tab leads through the words; a word in focus is drawn.
        whole = self.heat()
        self.run_script("document.getElementById('heat-switch').focus()")
        self.press(Keys.TAB, Keys.TAB)
        self.assertEqual(self.find("#words [aria-pressed=true]").text.split()[0], "white")
        self.assertNotEqual(self.heat()["sum"], whole["sum"])
        self.press(Keys.ARROW_RIGHT)
        self.looked(tiles[2]["name"])
        self.assertEqual(self.find("#words [aria-pressed=true]").text.split()[0], "white")
        self.assertTrue(self.focus().startswith("white"), "the focus stays on the word")
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.until(lambda: self.focus() == tiles[2]["id"])

    def test_going_past_what_is_shown(self):
        # The viewer goes on through all images, though few were fetched and fewer are in the document.
        self.dress(height=300)
        self.open(q=QUERY, fold="no")
        self.find(".tile .open").click()
        ranked = sorted(self.server.post("/api/search", text=QUERY, count=201, candidates=64)["results"], key=lambda r: r["rank"])
        for place in range(2, 68):
            self.until(lambda: self.find("#viewer-next").get_attribute("aria-disabled") == "false")
            self.press(Keys.ARROW_RIGHT)
            self.until(lambda: self.text("#viewer-position") == f"{place} of 201")
        self.press(Keys.ESCAPE)
        self.until(lambda: self.focus() == ranked[66]["id"])
        self.assertIn(ranked[66]["id"], self.seen())

    def test_browsed_images_have_no_words(self):
        self.open()
        self.find(".tile .open").click()
        self.assertFalse(self.find("#viewer-words").is_displayed())
        self.assertIn("File size", self.facts())
        self.find("#viewer-similar").click()
        self.until(lambda: "image=" in self.driver.current_url)
        self.settle()
        self.assertFalse(self.find("#viewer").is_displayed())

    def test_no_explanation(self):
        problem = {"path": "api/explain", "times": 1, "status": 409, "body": {"detail": "no map can be made"}}
        self.open([problem], q=QUERY)
        self.find(".tile .open").click()
        self.until(lambda: self.text("#words-state") == "no map can be made")
        self.assertEqual(self.heat()["seen"], 0)

    # How near the image is

    def box(self, selector="#viewer-picture"):
        return self.run_script("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector)

    def scale(self):
        return int(self.text("#zoom-all").split()[0]) / 100

    def middle(self, x=0.5, y=0.5):
        stage = self.box("#viewer-stage")
        return stage["left"] + x * stage["width"], stage["top"] + y * stage["height"]

    def mouse(self, kind, x, y, **fields):
        self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, **fields)

    def touch(self, kind, *points):
        self.command("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y} for x, y in points])

    def swipe(self, start, end):
        self.touch("touchStart", start)
        for part in (0.2, 0.5, 0.8, 1):
            self.touch("touchMove", tuple(a + part * (b - a) for a, b in zip(start, end)))
        self.touch("touchEnd")

    def test_nearness_by_buttons_and_keys(self):
        self.open_first()
        whole = self.box()
        self.assertEqual(self.find("#zoom-out").get_attribute("aria-disabled"), "true")
        self.find("#zoom-in").click()
        near = self.box()
        self.assertAlmostEqual(near["width"] / whole["width"], 1.5, delta=0.01)
        self.assertEqual(self.scale(), 1.5)
        self.assertEqual(self.find("#viewer-heat").rect, self.find("#viewer-picture").rect, "the heat follows")
        self.press("+")
        self.assertEqual(self.scale(), 2.25)
        # Arrows lead to what is beside what is seen, not to other images.
        name = self.text("#viewer-name")
        before = self.box()
        self.press(Keys.ARROW_RIGHT)
        self.assertLess(self.box()["left"], before["left"])
        self.press(Keys.ARROW_DOWN)
        self.assertLess(self.box()["top"], before["top"])
        self.assertEqual(self.text("#viewer-name"), name)
        # Not further than the image goes.
        self.press(*[Keys.ARROW_LEFT] * 20)
        self.assertLessEqual(self.box()["left"], self.box("#viewer-stage")["left"] + 1)
        self.photograph("viewer-near")
        self.press("-")
        self.assertEqual(self.scale(), 1.5)
        self.press("0")
        self.assertEqual(self.box(), whole)
        self.press(*"+" * 30)
        most = self.scale()
        self.assertGreaterEqual(most, 8)
        self.press("+")
        self.assertEqual(self.scale(), most, "there is an end")
        self.press("0", Keys.ARROW_RIGHT)
        self.until(lambda: self.text("#viewer-position").startswith("2 "))
        self.find("#zoom-in").click()
        self.find("#viewer-next").click()
        self.assertEqual(self.scale(), 1, "the next image is whole")
        self.find("#zoom-in").click()
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())

    def test_nearness_by_mouse(self):
        self.open_first()
        whole = self.box()
        x, y = self.middle(0.4, 0.4)
        at = ((x - whole["left"]) / whole["width"], (y - whole["top"]) / whole["height"])
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
        self.until(lambda: self.scale() > 1.5)
        near = self.box()
        self.assertAlmostEqual((x - near["left"]) / near["width"], at[0], delta=0.02, msg="what is pointed at stays")
        self.assertAlmostEqual((y - near["top"]) / near["height"], at[1], delta=0.02)
        self.mouse("mousePressed", x, y, button="left", clickCount=1, buttons=1)
        self.mouse("mouseMoved", x - 60, y - 40, button="left", buttons=1)
        self.mouse("mouseReleased", x - 60, y - 40, button="left", clickCount=1)
        moved = self.box()
        self.assertAlmostEqual(moved["left"] - near["left"], -60, delta=1)
        self.assertAlmostEqual(moved["top"] - near["top"], -40, delta=1)
        self.mouse("mouseMoved", x, y)
        self.assertEqual(self.box(), moved, "a mouse that is not pressed moves nothing")
        for clicks in (1, 2):
            self.mouse("mousePressed", x, y, button="left", clickCount=clicks)
            self.mouse("mouseReleased", x, y, button="left", clickCount=clicks)
        self.until(lambda: self.scale() == 1)
        self.assertEqual(self.box(), whole)
        for clicks in (1, 2):
            self.mouse("mousePressed", x, y, button="left", clickCount=clicks)
            self.mouse("mouseReleased", x, y, button="left", clickCount=clicks)
        self.until(lambda: self.scale() == 2.5)
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=2000)
        self.until(lambda: self.scale() == 1)

    def test_touch(self):
        self.dress(width=390, height=844, touch=True)
        self.command("Emulation.setTouchEmulationEnabled", enabled=True)
        self.addCleanup(lambda: self.command("Emulation.setTouchEmulationEnabled", enabled=False))
        self.open_first()
        names = [tile["name"] for tile in self.tiles()]
        left, middle, right = self.middle(0.2), self.middle(), self.middle(0.8)
        self.swipe(right, left)
        self.until(lambda: self.text("#viewer-name") == names[1])
        self.swipe(left, right)
        self.until(lambda: self.text("#viewer-name") == names[0])
        self.swipe(middle, (middle[0] + 20, middle[1]))
        self.assertEqual(self.text("#viewer-name"), names[0], "a little is no swipe")
        self.assertEqual(self.run_script("return document.getElementById('viewer-frame').style.transform"), "")
        # Two fingers.
        whole = self.box()
        x, y = middle
        self.touch("touchStart", (x - 30, y), (x + 30, y))
        for apart in (40, 60, 80, 90):
            self.touch("touchMove", (x - apart, y), (x + apart, y))
        self.touch("touchEnd")
        self.assertAlmostEqual(self.scale(), 3, delta=0.1)
        self.assertEqual(self.find("#viewer-heat").rect, self.find("#viewer-picture").rect)
        near = self.box()
        self.swipe(right, left)
        self.assertLess(self.box()["left"], near["left"] - 100, "what is near is moved")
        self.assertEqual(self.text("#viewer-name"), names[0])
        self.photograph("phone-viewer-near")
        for _ in range(2):
            self.touch("touchStart", middle)
            self.touch("touchEnd")
        self.until(lambda: self.scale() == 1)
        self.assertEqual(self.box(), whole)
        # Down closes, and leads back to the tile.
        self.swipe(middle, (middle[0], middle[1] + 200))
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.assertNotIn("view=", self.driver.current_url)

    def test_whole_screen(self):
        self.open_first()
        self.find("#viewer-full").click()
        self.until(lambda: self.run_script("return document.fullscreenElement?.id") == "viewer-whole")
        self.assertEqual(self.find("#viewer-full").get_attribute("aria-label"), "Leave full screen")
        self.assertFalse(self.find("#viewer-facts").is_displayed())
        first = self.text("#viewer-name")
        self.press(Keys.ARROW_RIGHT)
        self.until(lambda: self.text("#viewer-name") != first)
        self.photograph("viewer-whole-screen")
        self.press("f")
        self.until(lambda: self.run_script("return document.fullscreenElement === null"))
        self.assertTrue(self.find("#viewer-facts").is_displayed())
        self.press("f")
        self.until(lambda: self.run_script("return document.fullscreenElement?.id") == "viewer-whole")
        self.find("#viewer-close").click()
        self.until(lambda: self.run_script("return document.fullscreenElement === null"))
        self.until(lambda: not self.find("#viewer").is_displayed())

    def test_the_originals_pixels(self):
        folder, index = PICTURES / "large", PICTURES / "large.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        folder.mkdir()
        (folder / "large.png").write_bytes(png(2400, 1600, 90))
        with Server("--photos", str(folder), "--index", str(index)) as own:
            self.until(lambda: own.get("/api/images?limit=1")["total"] == 1)
            self.open(server=own)
            self.find(".tile .open").click()
            wide = "return document.getElementById('viewer-picture').naturalWidth"
            self.until(lambda: self.run_script(wide) == 1024)
            facts = self.facts()
            self.assertEqual(facts["Pixels"], "2,400 × 1,600")
            self.assertEqual(facts["Shape"], "landscape")
            self.assertEqual(facts["Folder"], str(folder))
            self.assertEqual(facts["File"], str(folder / "large.png"))
            self.press("+")
            self.until(lambda: self.run_script(wide) == 2400)
            self.assertEqual(self.text("#viewer-pixels"), "All pixels of the original")
            self.assertEqual(self.scale(), 1.5)
            self.photograph("viewer-pixels")
            # The thumbnail is enough for the whole image again.
            self.press("0")
            self.leave()
