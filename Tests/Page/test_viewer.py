"""The dialog: facts, heat maps, keys."""

from selenium.webdriver.common.keys import Keys

from harness import PageTest

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
        self.assertTrue(facts["Place"].startswith("1 "))
        self.assertEqual(facts["Place at first impression"], str(result["recall_rank"]))
        self.assertAlmostEqual(float(facts["Similarity"]), result["similarity"], delta=0.001)
        self.assertEqual(facts["year"], str(result["metadata"]["year"]))
        self.assertEqual(self.text("#viewer-position"), "1 of 201")
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
        self.open(q=QUERY)
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
