"""Searching: words, images, orders, conditions, the address."""

import re

from selenium.webdriver.common.keys import Keys

from harness import GALLERY, PICTURES, PageTest, Server

ENGLISH = "white top and black trousers"
CHINESE = "白色上衣黑色裤子"

# Makes a file of an image that the server has, as a drop or a paste would bring it.
CARRY = """
const [id, type, done] = arguments;
fetch(`api/images/${id}/original`).then((answer) => answer.blob()).then((blob) => {
  const carried = new DataTransfer();
  carried.items.add(new File([blob], "dropped.jpg", { type: "image/jpeg" }));
  const send = (name, Kind, field) =>
    document.body.dispatchEvent(new Kind(name, { bubbles: true, cancelable: true, [field]: carried }));
  if (type === "paste") send("paste", ClipboardEvent, "clipboardData");
  else if (type === "enter") send("dragenter", DragEvent, "dataTransfer");
  else send("drop", DragEvent, "dataTransfer");
  done();
});
"""


class SearchTests(PageTest):
    def assertShows(self, answer, order="rank"):
        """The tiles are the answer's best, with its places, moves and probabilities."""
        place = {"rank": "rank", "recall": "recall_rank"}[order]
        tiles = self.tiles()
        wanted = sorted(answer["results"], key=lambda result: result[place])[:len(tiles)]
        # The last rows may hold what was not compared closely.
        tiles = tiles[:len(wanted)]
        self.assertGreater(len(wanted), min(len(answer["results"]) - 1, 8))
        self.assertEqual([tile["id"] for tile in tiles], [result["id"] for result in wanted])
        for tile, result in zip(tiles, wanted):
            move = result["recall_rank"] - result["rank"]
            sign = f"▲{move}" if move > 0 else f"▼{-move}" if move < 0 else "="
            spoken = f"up {move}" if move > 0 else f"down {-move}" if move < 0 else "unchanged"
            self.assertEqual(tile["move"], sign)
            self.assertTrue(tile["label"].endswith(spoken) or "名" in tile["label"], tile["label"])
            self.assertEqual(tile["place"], str(result[place]))
            probability = result["match_probability"]
            shown = re.fullmatch(r"[<>]?(\d+) %", tile["value"])
            self.assertAlmostEqual(int(shown[1]) / 100, probability, delta=0.011)
            self.assertAlmostEqual(float(tile["fill"].rstrip("%")) / 100, probability, delta=0.001)

    def ask(self, text, **fields):
        """The first page of an answer, as the page asks for it."""
        return self.server.post("/api/search", text=text, count=64, candidates=64, fold=True, **fields)

    def test_first_load_browses(self):
        self.open()
        total = self.server.get("/api/images?limit=1")["total"]
        self.assertTrue(self.tiles())
        self.assertEqual(self.text("#summary"), f"{total} images")
        self.until(lambda: len(self.all("#examples button")) == 5)
        self.assertFalse(self.find("#order").is_displayed())
        self.until(lambda: f"{total} images" in self.text("#about"))
        self.assertEqual(self.asked("api/images")[0]["path"], "api/images?offset=0&limit=64")
        self.photograph("browse")

    def test_english(self):
        self.open()
        self.type_query(ENGLISH)
        self.assertShows(self.ask(ENGLISH))
        self.assertRegex(self.text("#summary"), r"^\d+ images, \d+ more like them, best match first( · [0-9.]+ ms)?$")
        self.assertEqual(sum(map(int, re.findall(r"\d+(?= images| more)", self.text("#summary")))), 201)
        self.assertRegex(self.text("#live").strip(), r"^\d+ images, \d+ more like them, best match first$")
        self.assertIn("q=white+top", self.driver.current_url)
        self.assertIn(ENGLISH, self.driver.title)
        self.photograph("results")

    def test_chinese(self):
        self.open()
        self.type_query(CHINESE)
        answer = self.ask(CHINESE)
        self.assertShows(answer)
        self.assertTrue(any(result["rank"] != result["recall_rank"] for result in answer["results"]))

    def test_example_is_a_search(self):
        self.open()
        # Those that filter are others.
        text = "black top and white trousers"
        example = self.until(lambda: [each for each in self.all("#examples button") if each.text == text])[0]
        example.click()
        self.settle()
        self.assertEqual(self.find("#text").get_property("value"), text)
        self.assertShows(self.ask(text))

    def test_orders(self):
        self.open(q=ENGLISH)
        answer = self.ask(ENGLISH)
        self.find("#order [value=recall]").click()
        self.assertShows(answer, "recall")
        self.assertIn("order=recall", self.driver.current_url)
        self.assertIn("by first impression", self.text("#live"))
        self.assertEqual(self.find("#order [value=recall]").get_attribute("aria-pressed"), "true")
        self.assertEqual(self.find("#order [value=rank]").get_attribute("aria-pressed"), "false")
        self.photograph("recall-order")
        self.driver.refresh()
        self.settle()
        self.assertShows(answer, "recall")
        self.find("body").send_keys("o")
        self.assertShows(answer, "rank")
        self.assertNotIn("order=", self.driver.current_url)

    def test_tiles_glide_unless_stillness_is_preferred(self):
        count = "return document.getAnimations().filter((a) => a.effect.target.matches('.tile')).length"
        self.open(q=ENGLISH)
        self.find("#order [value=recall]").click()
        self.assertEqual(self.run_script(count), 0)
        self.dress(motion="no-preference")
        self.find("#order [value=rank]").click()
        self.assertGreater(self.run_script(count), 3)

    def test_more(self):
        self.dress(height=400)
        # The end of the grid is brought near where more was fetched by itself.
        self.open(q=ENGLISH, fold="no")
        wanted = self.server.post("/api/search", text=ENGLISH, count=201, candidates=64)["results"]
        self.until(lambda: self.scroll_down() == len(wanted))
        last = max(wanted, key=lambda result: result["rank"])["id"]
        self.until(lambda: self.scroll_down() and self.tiles()[-1]["id"] == last)
        self.assertFalse(self.find("#further").is_displayed(), "there is no more")
        self.assertRegex(self.text("#summary"), r"^\d+ images")

    def scroll_down(self):
        """Scrolls to the end of what was fetched; how much that is."""
        self.run_script("scrollTo(0, document.documentElement.scrollHeight)")
        return self.fetched()

    def test_more_is_asked_for_once(self):
        self.dress(height=400)
        self.open([{"path": "api/images?offset=64", "times": 1, "holds": True}])
        wanted = [image["id"] for image in self.server.get("/api/images?limit=201")["images"]]
        self.run_script("scrollTo(0, document.documentElement.scrollHeight)")
        self.until_held()
        more = self.find("#more")
        self.assertEqual(more.text, "Loading…")
        self.run_script("arguments[0].click()", more)
        # A key that is held down at the end of the grid asks again and again.
        self.until(lambda: self.tiles()[-1]["id"] == wanted[63])
        self.run_script("[...document.querySelectorAll('.tile .open')].at(-1).focus()")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        self.assertEqual(self.focus(), wanted[63])
        self.release()
        self.until(lambda: self.fetched() >= 128)
        self.assertEqual(len(self.asked("api/images?offset=64")), 1)
        self.assertEqual(self.focus(), wanted[63], "the focus stays")
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.focus(), wanted[64])

    def test_more_of_what_is_left_is_dropped(self):
        self.dress(height=400)
        self.open([{"path": "api/images?offset=64", "times": 1, "holds": True, "deaf": True}])
        self.run_script("scrollTo(0, document.documentElement.scrollHeight)")
        self.until_held()
        self.type_query(ENGLISH)
        shown, fetched = self.tiles(), self.fetched()
        self.release()
        self.until(lambda: self.run_script("return answered.some((path) => path.includes('offset=64'))"))
        # How many tiles the document holds depends on where it is scrolled.
        tiles = self.tiles()
        held = min(len(tiles), len(shown))
        self.assertGreater(held, 0)
        self.assertEqual(tiles[:held], shown[:held])
        self.assertEqual(self.fetched(), fetched)

    def test_limits_of_the_service(self):
        def served(name, limits):
            settings = PICTURES / f"{name}.yaml"
            settings.write_text("limits:\n" + "".join(f"  {key}: {value}\n" for key, value in limits.items()))
            return Server(*GALLERY, "--settings", str(settings))

        choices = "return [...document.querySelectorAll('#candidates option')].map((o) => Number(o.value))"
        with served("limits", {"results": 32, "characters": 40}) as small:
            self.open([], small, q=ENGLISH)
            self.assertEqual(self.text("#trouble-title"), "")
            self.assertRegex(self.text("#summary"), r"^\d+ images")
            self.assertEqual(self.find("#text").get_attribute("maxlength"), "40")
            self.assertEqual(self.run_script(choices), [0, 16, 32])
            self.assertEqual(self.find("#candidates").get_property("value"), "32")
            # Without a closer look there are not more results, either.
            self.open([], small, q=ENGLISH, candidates=0)
            self.assertRegex(self.text("#summary"), r"^\d+ images")
            self.leave()
        # An odd limit is offered itself.
        with served("odd", {"candidates": 100}) as odd:
            self.open([], odd)
            self.until(lambda: self.run_script(choices) == [0, 16, 32, 64, 100])
            self.leave()

    def test_a_file_that_was_lost_is_said(self):
        self.open()
        wanted = self.server.get("/api/images?offset=7&limit=1")["images"][0]["id"]
        self.driver.execute_async_script(CARRY, wanted, "drop")
        self.until(lambda: self.all("#chips .chip") and self.text("#chips .chip span") == "dropped.jpg")
        self.settle()
        self.type_query("purple skirt")
        self.driver.refresh()
        self.until(lambda: self.find("#trouble").is_displayed())
        self.assertEqual(self.text("#trouble-title"), "The image of this search is no longer here")
        self.assertIn("dropped.jpg", self.text("#trouble-detail"))
        self.assertEqual(self.text("#chips .chip span"), "dropped.jpg")
        self.assertEqual(self.tiles(), [])
        self.photograph("file-lost")
        self.find("#language").click()
        self.until(lambda: "dropped.jpg" in self.text("#trouble-detail") and "图片" in self.text("#trouble-title"))
        self.find("#language").click()
        self.all("#trouble button")[1].click()
        self.until(lambda: self.tiles())
        self.settle()
        self.assertEqual(self.all("#chips .chip"), [])
        self.assertShows(self.ask("purple skirt"))

    def test_back_and_forward(self):
        self.open()
        self.type_query(ENGLISH)
        first = self.tiles()
        self.type_query("yellow toy duck")
        self.assertNotEqual(self.tiles(), first)
        self.driver.back()
        self.until(lambda: self.find("#text").get_property("value") == ENGLISH)
        self.settle()
        self.assertEqual(self.tiles(), first)
        self.driver.back()
        self.until(lambda: "images" in self.text("#summary"))
        self.driver.forward()
        self.until(lambda: self.tiles() == first)

    def test_drop_and_paste(self):
        self.open()
        wanted = self.server.get("/api/images?offset=7&limit=1")["images"][0]["id"]
        self.driver.execute_async_script(CARRY, wanted, "enter")
        self.assertTrue(self.find("#drop").is_displayed())
        self.photograph("drop")
        self.driver.execute_async_script(CARRY, wanted, "drop")
        self.until(lambda: self.all("#chips .chip") and self.text("#chips .chip span") == "dropped.jpg")
        self.settle()
        self.settle()
        self.assertFalse(self.find("#drop").is_displayed())
        self.assertEqual(self.tiles()[0]["id"], wanted)
        self.assertEqual(self.text("#chips .chip span"), "dropped.jpg")
        self.until(lambda: self.run_script("return document.querySelector('#chips img').naturalWidth > 0"))

        self.type_query("purple skirt")
        self.assertTrue(self.find("#order").is_displayed(), "a sentence with an image is compared closely")
        self.assertEqual(len(self.all("#chips .chip")), 1)
        self.photograph("picture-and-words")
        self.find("#chips button").click()
        self.settle()
        self.assertEqual(self.all("#chips .chip"), [])
        self.assertShows(self.ask("purple skirt"))

        other = self.server.get("/api/images?offset=11&limit=1")["images"][0]["id"]
        self.find("#text").clear()
        self.driver.execute_async_script(CARRY, other, "paste")
        self.until(lambda: self.text("#chips") and self.tiles()[0]["id"] == other)
        self.assertEqual(self.text("#chips .chip span"), "Pasted image")

    def test_what_is_not_an_image_is_refused(self):
        self.open()
        self.run_script("""
            const carried = new DataTransfer();
            carried.items.add(new File(["text"], "notes.txt", { type: "text/plain" }));
            const drop = { bubbles: true, cancelable: true, dataTransfer: carried };
            document.body.dispatchEvent(new DragEvent("drop", drop));""")
        self.assertIn("“notes.txt” is not an image", self.text("#notes"))
        self.assertEqual(self.all("#chips .chip"), [])

    def test_similar(self):
        self.open(q=ENGLISH)
        tile = self.tiles()[2]
        self.run_script("document.querySelectorAll('.tile .similar')[2].click()")
        self.until(lambda: f"image={tile['id']}" in self.driver.current_url)
        self.settle()
        self.assertEqual(self.tiles()[0]["id"], tile["id"])
        self.assertEqual(self.text("#chips .chip span"), tile["name"])
        self.assertFalse(self.find("#order").is_displayed(), "two images are not compared closely")
        self.driver.refresh()
        self.settle()
        self.assertEqual(self.tiles()[0]["id"], tile["id"])
        self.until(lambda: self.text("#chips .chip span") == tile["name"])

    def test_conditions(self):
        self.open(q=ENGLISH)
        self.find("#show-options").click()
        self.until(lambda: self.all("#facts button"))
        names = [fact.text for fact in self.all("#facts button")]
        self.assertEqual(sorted(names), sorted(self.server.get("/api/index")["facts"]))
        next(fact for fact in self.all("#facts button") if fact.text == "year").click()
        self.assertEqual(self.find("#condition").get_property("value"), "year=")
        self.find("#condition").clear()
        self.find("#condition").send_keys("nonsense", Keys.ENTER)
        self.assertEqual(self.find("#condition").get_attribute("aria-invalid"), "true")
        self.find("#condition").clear()
        self.find("#condition").send_keys("year>=2015", Keys.ENTER)
        self.settle()
        answer = self.ask(ENGLISH, filters=["year>=2015"])
        self.assertTrue(answer["results"])
        self.assertTrue(all(result["metadata"]["year"] >= 2015 for result in answer["results"]))
        self.assertShows(answer)
        self.assertEqual(self.text("#chips .chip span"), "year>=2015")
        self.assertIn("where=year%3E%3D2015", self.driver.current_url)
        self.photograph("options")
        self.find("#chips button").click()
        self.settle()
        self.assertShows(self.ask(ENGLISH))

    def test_least_probability_and_candidates(self):
        self.open(q=ENGLISH)
        self.find("#show-options").click()
        self.run_script("""
            const slider = document.getElementById("minimum");
            slider.value = 50;
            for (const type of ["input", "change"]) slider.dispatchEvent(new Event(type));""")
        self.settle()
        self.assertEqual(self.text("#minimum-value"), "≥ 50 %")
        answer = self.ask(ENGLISH, minimum_probability=0.5)
        self.assertShows(answer)
        self.assertLess(len(answer["results"]), 64)
        # Two images have no match probability, so none is asked for.
        first = self.tiles()[0]["id"]
        self.run_script("document.querySelector('.tile .similar').click()")
        self.until(lambda: f"image={first}" in self.driver.current_url)
        self.settle()
        self.assertTrue(self.tiles())
        self.assertFalse(self.find("#minimum").is_enabled())
        self.open(q=ENGLISH, candidates=0)
        self.assertFalse(self.find("#order").is_displayed())
        self.assertEqual({tile["move"] for tile in self.tiles()}, {""})
        self.assertEqual({tile["value"] for tile in self.tiles()}, {""}, "only match probabilities are shown")
