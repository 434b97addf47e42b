"""Questions about the open image, and the mark of what a text refers to in it."""

from selenium.webdriver.common.keys import Keys

from harness import PageTest

QUERY = "white top and black trousers"
PHRASE = "black trousers"
# The gallery's model answers no questions, so the tests say that a second one does, and what it answers.
ASKABLE = {"path": "api/index", "times": 99, "patch": {"questions": {"model": "vqa"}}}
ANSWERS = {"path": "api/answer", "times": 1, "status": 200, "body": {"question": "", "model": "vqa", "answers": [
    {"text": "red", "score": -0.5}, {"text": "<b>blue</b>", "score": -2}, {"text": " ", "score": -3}]}}


class AskingTests(PageTest):
    def open_first(self, rules=()):
        self.open(rules, q=QUERY)
        self.find(".tile .open").click()
        self.until(lambda: self.find("#pointing").is_displayed())

    def box(self, selector):
        return self.run_script("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector)

    def heat(self):
        return self.run_script("return document.getElementById('viewer-heat').toDataURL()")

    def write(self, selector, *keys):
        field = self.find(selector)
        field.clear()
        field.send_keys(*keys)

    def assert_marked(self, place):
        image, peak, box = (self.box(name) for name in ("#viewer-picture", "#mark-peak", "#mark-box"))
        for side, length, axis in (("left", "width", "x"), ("top", "height", "y")):
            middle = peak[side] + peak[length] / 2
            self.assertAlmostEqual((middle - image[side]) / image[length], place[axis], delta=0.01)
            self.assertAlmostEqual((box[side] - image[side]) / image[length], place["box"][axis], delta=0.01)
            self.assertAlmostEqual(box[length] / image[length], place["box"][length], delta=0.01)
        self.assertAlmostEqual(peak["width"], 18, delta=1)

    def test_points_at_words(self):
        self.open_first()
        self.assertFalse(self.find("#asking").is_displayed(), "nobody answers questions here")
        self.until(lambda: self.all("#words button"))
        whole = self.heat()
        place = self.server.post("/api/locate", image=self.tiles()[0]["id"], text=PHRASE)["peak"]["shares"]
        self.write("#phrase", PHRASE, Keys.ARROW_LEFT)
        self.assertTrue(self.text("#viewer-position").startswith("1 "), "the arrow moves the cursor")
        self.press(Keys.ENTER)
        self.until(lambda: self.find("#mark").is_displayed())
        self.assert_marked(place)
        self.assertNotEqual(self.heat(), whole, "the heat is that of the words at the mark")
        self.assertIn(f"“{PHRASE}”", self.text("#pointing-state"))
        self.assertIn(f"{round(100 * place['x'])} %", self.text("#pointing-state"))
        self.photograph("viewer-mark")
        self.find("#zoom-in").click()
        self.assert_marked(place)
        self.find("#zoom-all").click()
        self.find("#pointing-clear").click()
        self.assertFalse(self.find("#mark").is_displayed())
        self.assertEqual(self.heat(), whole)
        self.assertEqual(self.focus(), "phrase")
        self.press(Keys.ENTER)
        self.until(lambda: self.find("#mark").is_displayed())
        self.find("#viewer-next").click()
        self.assertFalse(self.find("#mark").is_displayed(), "the mark belongs to one image")
        self.assertEqual(self.find("#phrase").get_attribute("value"), PHRASE)

    def test_cannot_point(self):
        refused = {"path": "api/locate", "times": 1, "status": 422, "body": {"detail": "no letters"}}
        cold = {"path": "api/locate", "times": 1, "status": 200, "body": {"peak": None, "match_probability": 0.1}}
        self.open_first([refused, cold])
        self.write("#phrase", "…", Keys.ENTER)
        self.until(lambda: self.text("#pointing-state") == "no letters")
        self.write("#phrase", "a dog", Keys.ENTER)
        self.until(lambda: self.text("#pointing-state") == "Nothing in the image supports “a dog”.")
        self.assertFalse(self.find("#mark").is_displayed())
        self.open([{"path": "api/index", "times": 99, "patch": {"model": {"matches": False}}}], q=QUERY)
        self.find(".tile .open").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        self.assertFalse(self.find("#pointing").is_displayed())

    def test_answers_a_question(self):
        busy = {"path": "api/answer", "times": 1, "status": 503, "body": {"detail": "try again later"}}
        self.open_first([ASKABLE, ANSWERS, busy])
        self.write("#question", "What colour is the top?", Keys.ENTER)
        self.until(lambda: self.find("#asked").is_displayed())
        shown = self.run_script("""
            return [...document.querySelectorAll("#asked li")].map((entry) => [entry.querySelector("span").textContent,
              entry.querySelector("small").textContent, entry.querySelector(".fill").style.width.slice(0, 4)])""")
        self.assertEqual(shown, [["red", "61 %", "60.6"], ["<b>blue</b>", "14 %", "13.5"]])
        [sent] = self.asked("api/answer")
        self.assertIn(self.tiles()[0]["id"], sent["body"])
        self.assertIn("What colour is the top?", sent["body"])
        self.photograph("viewer-answers")
        self.find("#viewer-next").click()
        self.assertFalse(self.find("#asked").is_displayed(), "the answers belong to one image")
        self.find("#asking-form button").click()
        self.until(lambda: self.text("#asking-state") == "try again later")
        self.assertEqual(len(self.asked("api/answer")), 2)

    def test_chinese(self):
        self.dress(language="zh-CN")
        self.open_first([ASKABLE])
        self.assertEqual(self.text("#asking-title"), "就这张图片提问")
        self.write("#phrase", "黑色裤子", Keys.ENTER)
        self.until(lambda: self.find("#mark").is_displayed())
        self.assertIn("“黑色裤子”", self.text("#pointing-state"))
