"""Sizes, colours, languages, keys, names for screen readers, and markup from strangers."""

from selenium.webdriver.common.keys import Keys

from harness import PageTest

QUERY = "white top and black trousers"

OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"

# Every text that can be seen, with the contrast to the colours that lie under it.
CONTRAST = """
const rgba = (colour) => {
  const probe = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = probe.getContext("2d", { willReadFrequently: true });
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = (top, under) => under.map((value, i) => i === 3 ? 1 : top[i] * top[3] + value * (1 - top[3]));
const light = (colour) => {
  const [r, g, b] = colour.map((value) => value / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const root = document.querySelector("dialog:modal") ?? document.body;
const found = [];
const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim()) continue;
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
  if (element.closest(".spoken, option, [aria-disabled=true]")) continue;
  if (root === document.body && element.closest("dialog")) continue;
  const layers = [];
  for (let node = element; node; node = node.parentElement) layers.push(rgba(getComputedStyle(node).backgroundColor));
  const under = layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  const text = over(rgba(getComputedStyle(element).color), under);
  const [a, b] = [light(text), light(under)].sort((x, y) => y - x);
  found.push([walker.currentNode.data.trim().slice(0, 30), Math.round(100 * (a + 0.05) / (b + 0.05)) / 100]);
}
return found;
"""


# The contrast of the ring around the chosen order to what is around it.
RING = """
const light = (colour) => {
  const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const style = getComputedStyle(document.querySelector("#order [aria-pressed=true]"));
const ring = /rgba?\\([^)]*\\)(?=.*inset)/.exec(style.boxShadow)?.[0] ?? style.backgroundColor;
const [a, b] = [light(ring), light(getComputedStyle(document.getElementById("order")).backgroundColor)].sort((x, y) => y - x);
return (a + 0.05) / (b + 0.05);
"""


class LooksTests(PageTest):
    def assertReadable(self):
        texts = self.run_script(CONTRAST)
        self.assertGreater(len(texts), 10)
        self.assertEqual([text for text in texts if text[1] < 4.5], [], "contrast below 4.5")

    def assertNamed(self):
        """Everything that can be used has a name, as the browser tells screen readers."""
        nodes = self.command("Accessibility.getFullAXTree")["nodes"]
        used = ("button", "link", "textbox", "searchbox", "slider", "combobox", "checkbox", "dialog",
                "image", "img", "progressbar", "list")
        def value(node, field):
            return node.get(field, {}).get("value", "")
        wanting = [node for node in nodes if not node.get("ignored") and value(node, "role") in used
                   and not str(value(node, "name")).strip()]
        ids = [self.command("DOM.describeNode", backendNodeId=node["backendDOMNodeId"])["node"] for node in wanting]
        self.assertEqual([f"{node['localName']} {node.get('attributes')}" for node in ids], [])
        self.assertGreater(sum(value(node, "role") == "button" for node in nodes), 5)

    def test_phone(self):
        self.dress(width=360, height=740, touch=True)
        self.open()
        self.assertEqual(self.run_script(OVERFLOW), 0)
        self.photograph("phone-browse")
        self.open(q=QUERY, where=["year>=2001", "place!=Atlantis"])
        self.assertEqual(self.run_script(OVERFLOW), 0)
        tops = self.run_script("return [...document.querySelectorAll('.tile')].slice(0, 4).map((t) => t.offsetTop)")
        self.assertTrue(tops[0] == tops[1] < tops[2] == tops[3], "two columns")
        self.photograph("phone-results")
        self.find("#show-options").click()
        self.assertEqual(self.run_script(OVERFLOW), 0)
        self.photograph("phone-options")
        self.find(".tile .open").click()
        self.until(lambda: self.all("#words button"))
        box = self.find("#viewer").rect
        self.assertEqual((box["width"], box["height"]), (360, 740), "the dialog has the whole screen")
        wide = "const b = document.querySelector('.viewer-body'); return b.scrollWidth - b.clientWidth"
        self.assertEqual(self.run_script(wide), 0)
        self.photograph("phone-viewer")

    def test_tablet(self):
        lines = "const e = document.getElementById('summary'); return Math.round(e.offsetHeight / parseFloat(getComputedStyle(e).lineHeight))"
        row = "return arguments[0].map((id) => document.getElementById(id)).map((e) => e.offsetTop + e.offsetHeight / 2)"
        for language in ("en-GB", "zh-CN"):
            self.dress(width=820, height=1180, touch=True, language=language)
            self.open(q=QUERY)
            self.assertEqual(self.run_script(OVERFLOW), 0)
            self.assertEqual(self.run_script(lines), 1, "the summary has a row of its own")
            summary, select, options, order, folding = self.run_script(
                row, ["summary", "start-selecting", "show-options", "order", "folding"])
            self.assertLess(max(summary, select, options) - min(summary, select, options), 4, "the first row")
            self.assertLess(abs(order - folding), 4, "the second row")
            self.assertGreater(order - summary, 30)
            self.photograph(f"tablet-results-{language[:2]}")
            self.run_script("document.querySelector('.tile .open').focus()")
            self.press("x")
            middles = self.run_script(row, ["selection-count", "selection-all", "selection-like", "selection-more"])
            self.assertLess(max(middles) - min(middles), 20, "the bar has one row")

    def test_nothing_to_select_where_nothing_is_shown(self):
        self.open(where="year>=2090")
        self.assertFalse(self.find("#start-selecting").is_displayed())
        self.assertTrue(self.find("#show-options").is_displayed())

    def test_colours_by_day_and_night(self):
        for scheme in ("light", "dark"):
            self.dress(scheme=scheme)
            self.open()
            self.assertReadable()
            self.open(q=QUERY, where="year>=2001", order="recall")
            self.find("#show-options").click()
            self.assertReadable()
            self.photograph(f"{scheme}-results")
            self.find(".tile .open").click()
            self.until(lambda: self.all("#words button"))
            self.assertReadable()
            self.photograph(f"{scheme}-viewer")
        self.assertEqual(self.run_script("return getComputedStyle(document.body).backgroundColor"), "rgb(18, 19, 21)")

    def test_trouble_is_readable_in_the_dark(self):
        self.dress(scheme="dark")
        cut = {"path": "api/search", "times": 1, "patch": {"reading": {"is_cut": True}}}
        self.open([cut], q=QUERY, min=0.95, where="year=1")
        self.assertReadable()
        self.photograph("dark-nothing")

    def test_chinese(self):
        self.dress(language="zh-CN")
        self.open(q="白色上衣黑色裤子")
        self.assertEqual(self.run_script("return document.documentElement.lang"), "zh-CN")
        self.assertRegex(self.text("#summary"), r"^共 \d+ 张图片，另有 \d+ 张几乎相同，按最佳匹配排序")
        self.photograph("chinese-results")
        self.find(".tile .open").click()
        self.until(lambda: self.all("#words button"))
        self.photograph("chinese-viewer")
        self.press(Keys.ESCAPE)
        self.find("#show-keys").click()
        self.photograph("chinese-keys")
        self.press(Keys.ESCAPE)
        # The choice of another language lasts.
        self.find("#language").click()
        self.assertEqual(self.run_script("return document.documentElement.lang"), "en")
        self.assertIn("best match", self.text("#summary"))
        self.driver.refresh()
        self.settle()
        self.assertEqual(self.text("#search [type=submit]"), "Search")

    def test_every_text_is_in_both_languages(self):
        tables = self.driver.execute_async_script("""
            import("/strings.js").then((m) => {
              const kind = (text) => typeof text === "function" ? `takes ${text.length}`
                : Array.isArray(text) ? text.length : typeof text === "object" ? Object.keys(text).join() : "text";
              arguments[0](Object.values(m.tables).map((table) =>
                Object.fromEntries(Object.entries(table).map(([key, text]) => [key, kind(text)]))));
            })""")
        self.assertEqual(tables[0], tables[1])
        self.assertGreater(len(tables[0]), 60)

    def test_names(self):
        self.open()
        self.assertNamed()
        self.open(q=QUERY, where="year>=2001")
        self.find("#show-options").click()
        self.assertNamed()
        self.assertEqual(self.run_script("return [...document.images].filter((i) => !i.hasAttribute('alt')).length"), 0)
        self.assertEqual(self.find("#grid").aria_role, "list")
        self.find(".tile .open").click()
        self.until(lambda: self.all("#words button"))
        self.assertNamed()

    def test_keys(self):
        self.open(q=QUERY, fold="no")
        ids = [tile["id"] for tile in self.tiles()]
        self.find("body").send_keys("/")
        self.assertEqual(self.focus(), "text")
        self.press("o?")
        self.assertEqual(self.find("#text").get_property("value"), "o?", "keys are letters in a field")
        self.run_script("document.querySelector('.tile .open').focus()")
        columns = self.run_script("""
            const t = [...document.querySelectorAll(".tile")]; return t.findIndex((x) => x.offsetTop > t[0].offsetTop)""")
        for key, place in ((Keys.ARROW_RIGHT, 1), (Keys.ARROW_DOWN, 1 + columns), (Keys.ARROW_LEFT, columns),
                           (Keys.ARROW_UP, 0), (Keys.ARROW_UP, 0)):
            self.press(key)
            self.assertEqual(self.focus(), ids[place])
        stops = self.run_script("return document.querySelectorAll('.tile .open[tabindex=\"0\"]').length")
        self.assertEqual(stops, 1, "one tile is reached by Tab")
        # The end of what was fetched asks for more.
        last = -1
        while last != self.fetched() - 1 or last < 200:
            last = self.fetched() - 1
            self.press(Keys.END)
            self.until(lambda: self.place_of_focus() >= last)
        self.press(Keys.HOME)
        self.assertEqual(self.place_of_focus(), 0)
        self.press("o")
        self.assertEqual(self.focus(), self.tiles()[[t["id"] for t in self.tiles()].index(self.focus())]["id"])
        self.assertIn("order=recall", self.driver.current_url)
        self.press("?")
        self.assertTrue(self.find("#keys").is_displayed())
        self.photograph("keys")
        self.find("#single-keys").click()
        self.press(Keys.ESCAPE)
        self.find("body").send_keys("?")
        self.assertFalse(self.find("#keys").is_displayed(), "keys that were turned off do nothing")

    def place_of_focus(self):
        return int(self.run_script("return document.activeElement.closest('.tile').ariaPosInSet")) - 1

    def test_focus_can_be_seen(self):
        self.open(q=QUERY, where="year>=2001")
        # A click would be where Tab starts from.
        self.run_script("document.getElementById('show-options').click()")
        seen = []
        # Round once, to where nothing of the page has the focus.
        while not seen or self.focus_is_inside():
            self.press(Keys.TAB)
            if not self.focus_is_inside():
                break
            seen.append(self.focus())
            covered = self.run_script("""
                const { left, top, width, height } = document.activeElement.getBoundingClientRect();
                const at = document.elementFromPoint(left + width / 2, top + height / 2);
                return document.activeElement.contains(at) ? null : at?.outerHTML ?? "outside";""")
            self.assertIsNone(covered, f"{seen[-1]} cannot be seen")
            style = self.run_script("""
                const a = document.activeElement, f = a.closest("form");
                const rings = getComputedStyle(a).outlineStyle !== "none";
                return [a.id || a.className, rings || (f && getComputedStyle(f).boxShadow !== "none")]""")
            self.assertTrue(style[1], style[0])
        self.assertGreater(len(seen), 10)

    def focus_is_inside(self):
        return self.run_script("return document.activeElement !== document.body")

    def test_examples_are_for_an_empty_search(self):
        self.open(q=QUERY)
        self.assertFalse(self.find("#examples").is_displayed())
        self.find("#home").click()
        self.settle()
        self.until(lambda: self.find("#examples").is_displayed())

    def test_the_chosen_order_is_marked(self):
        for scheme in ("light", "dark"):
            self.dress(scheme=scheme)
            self.open(q=QUERY)
            ratio = self.run_script(RING)
            self.assertGreaterEqual(ratio, 3, f"the ring around the chosen order, {scheme}")

    def test_headings_and_images_say_nothing_twice(self):
        self.expected = ["400"]
        self.open(q=QUERY, where="nonsense")
        self.until(lambda: self.find("#trouble").is_displayed())
        empty = "return [...document.querySelectorAll('h1, h2, h3')].filter((h) => h.checkVisibility() && !h.textContent.trim()).length"
        self.assertEqual(self.run_script(empty), 0, "a heading without words")
        self.open()
        self.assertEqual(self.run_script(empty), 0, "a heading without words")
        alts = self.run_script("return [...document.querySelectorAll('.tile img')].map((image) => image.alt)")
        self.assertEqual(set(alts), {""}, "the tile's button has the name")

    def test_words_from_right_to_left(self):
        self.open(q="قميص أبيض")
        self.assertEqual(self.run_script("return getComputedStyle(document.getElementById('text')).direction"), "rtl")
        self.find(".tile .open").click()
        self.until(lambda: len(self.all("#words button")) > 1)
        word = self.all("#words li")[1]
        self.assertEqual(self.run_script("return getComputedStyle(arguments[0].querySelector('span')).direction", word), "rtl")
        # The share is one run of letters, right of the word.
        places = self.run_script("""
            return [...arguments[0].querySelectorAll("span, small")].map((e) => e.getClientRects().length + ":" +
              Math.round(e.getBoundingClientRect().left))""", word)
        (word_runs, word_left), (share_runs, share_left) = (place.split(":") for place in places)
        self.assertEqual((word_runs, share_runs), ("1", "1"))
        self.assertLess(int(word_left), int(share_left))
        self.photograph("right-to-left")

    def test_an_open_image_has_one_scroll_bar(self):
        # As at 200 %, and as on a desktop.
        for width, height in ((640, 450), (1280, 900), (1280, 500)):
            self.dress(width=width, height=height)
            self.open(q=QUERY)
            self.find(".tile .open").click()
            self.until(lambda: self.all("#words button"))
            bars = self.run_script("""
                const scrolls = (e) => e.scrollHeight > e.clientHeight &&
                  ["auto", "scroll"].includes(getComputedStyle(e).overflowY);
                const root = document.documentElement;
                const page = getComputedStyle(root).overflowY !== "hidden" && root.scrollHeight > innerHeight;
                return [...document.querySelectorAll("#viewer, #viewer *")].filter(scrolls)
                  .map((e) => e.className || e.id).concat(page ? ["page"] : [])""")
            self.assertLessEqual(len(bars), 1, bars)

    def test_why_a_lower_percentage_stands_higher(self):
        self.open(q=QUERY, order="recall")
        self.assertIn("quick look", self.text("#why"))
        self.find("#order [value=rank]").click()
        # "<1 %" is less than "1 %", ">99 %" more than "99 %".
        shift = {"<": -0.5, ">": 0.5}
        values = [int(tile["value"].strip("<>% ")) + shift.get(tile["value"][0], 0) for tile in self.tiles()]
        self.assertEqual(bool(self.text("#why")), values != sorted(values, reverse=True))
        # The order is made to contradict them.
        search = {"results": [{"match_probability": 0.1}, {"match_probability": 0.9}]}
        self.open([{"path": "api/search", "times": 1, "patch": search}], q=QUERY)
        self.assertIn("lower percentage can rank higher", self.text("#why"))
        self.photograph("why")

    def test_markup_stays_text(self):
        self.open(q=QUERY, where="note=<img src=x onerror=window.hacked=1>", fold="no")
        tiles = self.tiles()
        self.assertTrue(tiles, "the gallery has pictures whose note is markup")
        markup = [n for n, tile in enumerate(tiles) if "<img" in tile["name"]]
        self.assertTrue(markup, "and one whose name is")
        self.all(".tile .open")[markup[0]].click()
        self.until(lambda: self.all("#words button"))
        self.assertIn("<img src=x", self.text("#viewer-facts"))
        self.assertIn("<img", self.text("#viewer-name"))
        self.photograph("markup")
        self.open(q="<img src=x onerror=window.hacked=1> <b>top</b>")
        self.find(".tile .open").click()
        self.until(lambda: self.all("#words button"))
        self.assertIsNone(self.run_script("return window.hacked ?? null"))
        self.assertEqual(self.run_script("return document.querySelectorAll('img[src=x], #words b').length"), 0)
