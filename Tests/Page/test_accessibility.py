"""What axe finds in the states of the page: nothing, in whatever language, size and light."""

import importlib.util
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from harness import PageTest

QUERY = "white top and black trousers"
# Deque's axe-core, as a package of PyPI carries it.
AXE = Path(importlib.util.find_spec("axe_core_python").origin).with_name("axe.min.js").read_text()
FIND = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(violations.map(
  ({ id, impact, nodes }) => `${id} (${impact}): ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`)));
"""


class AccessibilityTests(PageTest):
    def assert_clean(self, state):
        self.run_script(AXE)
        found = self.driver.execute_async_script(FIND)
        self.assertEqual(found, [], state)

    def states(self):
        """Brings the page from state to state, and gives their names."""
        self.open()
        yield "the start page"
        self.find("#show-options").click()
        yield "the form of conditions"
        self.open(q=QUERY)
        yield "results"
        self.find("#text").click()
        yield "recent searches"
        self.open(q=QUERY)
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press("x")
        yield "a selection"
        self.press(Keys.ESCAPE)
        self.find(".tile .open").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        self.until(lambda: self.all("#words button"))
        yield "an open image"
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.press("?")
        yield "the keys"
        self.open(where="year>=2090")
        yield "nothing found"

    def test_desktop(self):
        for state in self.states():
            with self.subTest(state):
                self.assert_clean(state)

    def test_phone_dark_chinese(self):
        self.dress(390, 844, scheme="dark", touch=True, language="zh-CN")
        for state in self.states():
            with self.subTest(state):
                self.assert_clean(state)
