"""Runs axe over the states of the page, in both languages, on three sizes of screen, by day and by night."""

import importlib.util
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from harness import PICTURES, PageTest
from test_asking import ANSWERS, ASKABLE
from writable import give_key, scenes, writable

QUERY = "white top and black trousers"
# Deque's axe-core, as a package of PyPI carries it.
AXE = Path(importlib.util.find_spec("axe_core_python").origin).with_name("axe.min.js").read_text()
# What axe cannot decide counts too, except the contrast of text over an image.
FIND = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations", "incomplete"] }).then(({ violations, incomplete }) => {
  const open = incomplete.filter(({ id }) => id !== "color-contrast");
  done([...violations, ...open].map(
    ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`));
});
"""


class AccessibilityTests(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = writable("accessible", 4, follows=True)
        (cls.own.folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")
        (cls.own.folder / "film.mov").write_bytes(b"film")

    @classmethod
    def tearDownClass(cls):
        cls.own.stop()

    def assert_clean(self, state):
        self.run_script(AXE)
        found = self.driver.execute_async_script(FIND)
        self.assertEqual(found, [], state)

    def assert_all_clean(self):
        for states in (self.reading(), self.trouble_states(), self.writing()):
            for state in states:
                with self.subTest(state):
                    self.assert_clean(state)
        self.leave()

    def reading(self):
        """Brings the page from state to state, and gives their names: what every visitor can do."""
        self.open()
        yield "the start page"
        self.find("#show-options").click()
        yield "the form of conditions"
        self.open(q=QUERY, where=["year>=2001", "place!=Atlantis"], min=0.05, sort="date")
        self.find("#show-options").click()
        yield "the form of conditions, filled in"
        self.open(q=QUERY)
        yield "results"
        self.find("#squares").click()
        yield "results as squares"
        self.find("#squares").click()
        self.open()
        self.find("#text").click()
        self.until(lambda: self.find("#recent").is_displayed())
        yield "recent searches"
        self.open(q=f"{QUERY} -hat")
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press("x")
        yield "the selection bar"
        self.find("#selection-more").click()
        self.until(lambda: self.find("#selection-menu").is_displayed())
        yield "the selection bar's menu"
        self.press(Keys.ESCAPE, Keys.ESCAPE)
        self.open_image()
        yield "an open image"
        self.all("#words button")[-1].click()
        self.find("#viewer-facts div:last-child").location_once_scrolled_into_view
        yield "an open image with its details in sight"
        self.find("#zoom-in").click()
        yield "an open image, enlarged"
        self.find("#zoom-all").click()
        self.find("#phrase").send_keys("trousers", Keys.ENTER)
        self.until(lambda: self.find("#mark").is_displayed())
        yield "an open image with a mark"
        self.open([ASKABLE, ANSWERS], q=QUERY)
        self.open_image()
        self.find("#question").send_keys("What is it?", Keys.ENTER)
        self.until(lambda: self.find("#asked").is_displayed())
        yield "an open image with answers"
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.press("?")
        yield "the keys"

    def trouble_states(self):
        """Brings the page to where it has nothing to show."""
        self.open(where="year>=2090")
        yield "nothing found"
        self.open(q=QUERY, where="year>=2090", min=0.95)
        yield "nothing matches"
        self.open(q="zeppelin over a volcano")
        self.until(lambda: self.find("#doubt").is_displayed())
        yield "nothing matches well"
        problem = {"path": "api/search", "times": 1, "status": 500, "body": {"title": "Wrong", "detail": "the log knows more"}}
        self.open([problem], q=QUERY)
        yield "an error"
        self.open([{"path": "api/", "times": 9, "status": 401, "body": {"title": "Unauthorized", "detail": "a key"}}])
        self.until(lambda: self.find("#access").is_displayed())
        yield "a key for reading"

    def writing(self):
        """Brings the page from state to state where it may change the gallery."""
        broken = PICTURES / "broken.jpg"
        broken.write_bytes(b"\xff\xd8\xff no image")
        self.open(server=self.own)
        self.until(lambda: self.run_script("return document.getElementById('show-skipped').textContent.includes('2')"))
        self.find("#show-skipped").click()
        yield "the folder panel"
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#skipped").is_displayed())
        sent = scenes(1, start=40)[0]
        self.find("#upload-files").send_keys(f"{sent}\n{broken}")
        self.until(lambda: self.find("#key-prompt").is_displayed())
        yield "a key for writing"
        give_key(self, "not-the-key-of-this-one")
        self.until(lambda: self.find("#writing-key-error").is_displayed())
        yield "a key that is refused"
        give_key(self)
        states = "return [...document.querySelectorAll('#uploads li')].map((row) => row.dataset.state)"
        self.until(lambda: self.run_script(states) == ["done", "failed"])
        self.until(lambda: len(self.tiles()) == 5)
        self.settle()
        yield "the uploads"
        self.find("#uploads li button").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        yield "an open image that can be replaced"
        self.find("#viewer-delete").location_once_scrolled_into_view
        self.find("#viewer-delete").click()
        self.until(lambda: self.find("#confirm").is_displayed())
        yield "the question before an image is deleted"
        self.find("#confirm .danger").click()
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.until(lambda: len(self.tiles()) == 4)
        self.find("#uploads-close").click()
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press("x")
        self.find("#selection-delete").click()
        self.until(lambda: self.find("#confirm").is_displayed())
        yield "what cannot be deleted here"

    def open_image(self):
        self.find(".tile .open").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        self.until(lambda: self.all("#words button"))

    def test_desktop(self):
        self.expected = ["401", "422", "500"]
        self.assert_all_clean()

    def test_tablet(self):
        self.expected = ["401", "422", "500"]
        self.dress(820, 1180, touch=True)
        self.assert_all_clean()

    def test_phone_dark_chinese(self):
        self.expected = ["401", "422", "500"]
        self.dress(390, 844, scheme="dark", touch=True, language="zh-CN")
        self.assert_all_clean()
