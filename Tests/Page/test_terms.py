"""What the search field understands, several images as one query, near-duplicates, recent searches."""

from selenium.webdriver.common.keys import Keys

from harness import PageTest

QUERY = "white top"


class TermTests(PageTest):
    def module(self, name, script, *arguments):
        """What a script makes of one of the page's modules, `m`."""
        return self.driver.execute_async_script(f"""
            const [values, done] = arguments;
            import("/{name}").then((m) => done((() => {{ {script} }})()), (error) => done(String(error)));
            """, list(arguments))

    def read(self, typed):
        read = self.module("terms.js", "return m.readTerms(values[0])", typed)
        return read["text"], read["without"], read["emphasis"]

    def fields(self, place=-1):
        """What the page asked of the search, the last time."""
        return self.run_script("return JSON.parse(asked.filter(({ path }) => path === 'api/search').at(arguments[0]).body)", place)

    def test_negative_words(self):
        for typed, text, without in (
                ("dog -leash", "dog", ["leash"]),
                ("-leash dog", "dog", ["leash"]),
                ('dog -"red leash" on grass', "dog on grass", ["red leash"]),
                ('dog -"red leash', "dog", ["red leash"]),
                ("dog -x-ray t-shirt", "dog t-shirt", ["x-ray"]),
                ("狗 -牵绳", "狗", ["牵绳"]),
                ("狗　－牵绳 -“红色 项圈” -「蓝色 项圈」", "狗", ["牵绳", "红色 项圈", "蓝色 项圈"]),
                ("dog, -leash, -cat. -leash", "dog,", ["leash", "cat"]),
                ("-leash", "", ["leash"])):
            self.assertEqual(self.read(typed), (text, without, {}), typed)

    def test_signs_that_mean_nothing(self):
        for typed in ("a  t-shirt", "black-and-white", "dogs - and cats", "a --dog", "dog-leash", "狗-牵绳", "-", "--",
                      "it is -5 °C", 'a "red ball"', 'dog -""', "10^6 stars", "x^y", "dog^", "^2", "2^2^2", "don’t"):
            self.assertEqual(self.read(typed), (typed, [], {}), typed)

    def test_weights(self):
        for typed, text, emphasis in (
                ("dog^2 beach", "dog beach", {"dog": 2}),
                ("a dog^1.5, running", "a dog, running", {"dog": 1.5}),
                ("狗^2 海滩", "狗 海滩", {"狗": 2}),
                ("狗＾0.5 海滩", "狗 海滩", {"狗": 0.5}),
                ('"red car"^3 street', "red car street", {"red car": 3}),
                ("dog^9", "dog", {"dog": 9})):
            self.assertEqual(self.read(typed), (text, [], emphasis), typed)

    def test_a_term_is_taken_away(self):
        drop = "const term = m.termsOf(values[0]).find(({ kind }) => kind === values[1]); return m.dropTerm(values[0], term);"
        self.assertEqual(self.module("terms.js", drop, 'dog^2 -"red leash" beach', "without"), "dog^2 beach")
        self.assertEqual(self.module("terms.js", drop, "dog^2 -leash beach", "emphasis"), "dog -leash beach")

    def test_the_field_is_asked_and_shared(self):
        self.open()
        self.type_query("white^2 top -trousers")
        asked = self.fields()
        self.assertEqual((asked["text"], asked["without"], asked["emphasis"]), ("white top", ["trousers"], {"white": 2}))
        self.assertTrue(self.tiles())
        chips = [chip.text for chip in self.all("#chips .chip span")]
        self.assertEqual(chips, ["white × 2", "not: trousers"])
        self.photograph("terms")
        address = self.driver.current_url
        self.driver.get(address)
        self.settle()
        self.assertEqual(self.find("#text").get_property("value"), "white^2 top -trousers")
        self.assertEqual(self.fields(), asked)
        # A chip takes its term out of the field.
        self.all("#chips .chip button")[1].click()
        self.settle()
        self.assertEqual(self.find("#text").get_property("value"), "white^2 top")
        self.assertNotIn("without", self.fields())

    def test_words_are_explained_without_the_signs(self):
        self.open(q="white^2 top -trousers")
        self.find(".tile .open").click()
        self.until(lambda: len(self.all("#words button")) > 1)
        words = [word.text.split()[0] for word in self.all("#words button")[1:]]
        self.assertEqual(words, ["white", "top"])

    def test_only_what_is_not_wanted(self):
        self.open(q="-trousers")
        title, detail = self.trouble()
        self.assertEqual(title, "Nothing to look for")
        self.assertIn("Add a word", detail)
        self.assertEqual(self.asked("api/search"), [])
        self.find("#language").click()
        self.until(lambda: self.text("#trouble-title") == "没有要查找的内容")

    def test_more_and_less_like_this(self):
        self.open(q=QUERY)
        first, second = self.tiles()[:2]
        self.find(".tile .open").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        self.find("#viewer-like").click()
        self.settle()
        self.assertFalse(self.find("#viewer").is_displayed())
        self.assertEqual((self.fields()["text"], self.fields()["image"]), (QUERY, first["id"]))
        self.run_script("document.querySelector(`[data-id='${arguments[0]}'] .open`).click()", second["id"])
        self.until(lambda: self.find("#viewer").is_displayed())
        self.find("#viewer-unlike").click()
        self.settle()
        self.assertEqual((self.fields()["image"], self.fields()["unlike"]), (first["id"], [second["id"]]))
        self.until(lambda: [chip.text for chip in self.all("#chips .chip span")] ==
                   [first["name"], f"not like {second['name']}"])
        self.photograph("like-and-unlike")
        # The address holds all of it.
        asked = self.fields()
        self.driver.get(self.driver.current_url)
        self.settle()
        self.assertEqual(self.fields(), asked)
        # What is liked is unlike no more.
        self.run_script("document.querySelectorAll('#chips .chip button')[1].click()")
        self.settle()
        self.assertNotIn("unlike", self.fields())

    def test_several_images_are_one_query(self):
        ids = [image["id"] for image in self.server.get("/api/images?limit=3")["images"]]
        self.open(image=ids)
        self.assertEqual(self.fields()["images"], ids)
        self.assertNotIn("image", self.fields())
        self.until(lambda: len(self.all("#chips .chip img")) == 3)
        self.assertTrue(self.tiles())
        self.photograph("several-images")
        self.all("#chips .chip button")[0].click()
        self.settle()
        self.assertEqual(self.fields()["images"], ids[1:])
        self.all("#chips .chip button")[0].click()
        self.settle()
        self.assertEqual(self.fields()["image"], ids[2])
        self.assertNotIn("images", self.fields())

    def test_near_duplicates_are_folded(self):
        other = self.server.get("/api/images?limit=1")["images"][0]
        twins = [{"id": other["id"], "name": other["name"]}] * 2
        found = self.server.post("/api/search", text=QUERY, fold=True, count=64, candidates=64)["results"]
        folded = 2 + sum(len(result["duplicates"]) for result in found[1:])
        self.open([{"path": "api/search", "times": 1, "patch": {"results": {"0": {"duplicates": twins}}}}], q=QUERY)
        self.assertIs(self.fields()["fold"], True)
        self.assertEqual(self.text(".tile .stack"), "+2")
        self.assertEqual(self.find(".tile .stack").get_attribute("aria-label"), "2 images look nearly the same")
        self.assertIn("Near-duplicates are folded", self.text("#folding"))
        self.assertRegex(self.text("#summary"), f"^{201 - folded} images, {folded} more like them, best match first")
        self.assertIn(f"{201 - folded} images, {folded} more like them", self.text("#live"))
        self.assertEqual(self.find(".tile").get_attribute("aria-setsize"), str(201 - folded))
        self.photograph("folded")
        self.find(".tile .open").click()
        self.until(lambda: self.find("#viewer-duplicates").is_displayed())
        self.assertEqual(len(self.all("#duplicates img")), 2)
        self.find("#duplicates button").click()
        self.until(lambda: self.text("#viewer-name") == other["name"])
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.find("#folding button").click()
        self.settle()
        self.assertNotIn("fold", self.fields())
        self.assertIn("fold=no", self.driver.current_url)
        self.assertRegex(self.text("#summary"), "^201 images, best match first")
        self.find("#folding button").click()
        self.settle()
        self.assertIs(self.fields()["fold"], True)

    def test_one_result_with_the_others_folded(self):
        images = self.server.get("/api/images?limit=3")["images"]
        twins = [{"id": image["id"], "name": image["name"]} for image in images[1:]]
        found = self.server.post("/api/search", text=QUERY, fold=True, count=1, candidates=64)
        body = {**found, "results": [{**found["results"][0], "duplicates": twins}], "total": 3, "next_offset": None}
        for language, said in (("en-GB", "1 image, 2 more like it, best match first"),
                               ("zh-CN", "共 1 张图片，另有 2 张几乎相同，按最佳匹配排序")):
            self.dress(language=language)
            self.open([{"path": "api/search", "times": 1, "status": 200, "body": body}], q=QUERY)
            self.assertTrue(self.text("#summary").startswith(said), self.text("#summary"))
            self.assertEqual(len(self.asked("api/search")), 1, "what is folded is not fetched again")
            self.assertFalse(self.find("#further").is_displayed())
            self.find(".tile .open").click()
            self.until(lambda: self.find("#viewer").is_displayed())
            self.assertIn("1", self.text("#viewer-position"))
            self.assertNotIn("3", self.text("#viewer-position"))
            self.press(Keys.ESCAPE)
            self.until(lambda: not self.find("#viewer").is_displayed())

    def test_the_best_matches_by_date_with_others_folded(self):
        found = self.server.post("/api/search", text=QUERY, fold=True, count=64, candidates=64, sort="date",
                                 minimum_probability=0.05)["results"]
        folded = sum(len(result["duplicates"]) for result in found)
        self.assertTrue(folded)
        self.open(q=QUERY, sort="date", min=0.05)
        self.assertRegex(self.text("#summary"), f"^the {len(found)} best matches, {folded} more like them, newest first")

    def test_recent_searches_by_keyboard(self):
        self.open()
        field = self.find("#text")
        field.click()
        self.assertFalse(self.find("#recent").is_displayed(), "nothing was searched yet")
        for query in ("white top", "yellow toy duck", "purple skirt"):
            self.type_query(query)
        field.clear()
        field.send_keys(Keys.ARROW_DOWN)
        self.assertEqual(field.get_attribute("aria-expanded"), "true")
        options = self.all("#recent-list [role=option]")
        self.assertEqual([option.text for option in options], ["purple skirt", "yellow toy duck", "white top"])
        self.photograph("recent")
        active = lambda: self.run_script("""
            const id = document.getElementById("text").getAttribute("aria-activedescendant");
            const chosen = document.querySelector("#recent-list [aria-selected=true]");
            return id && chosen?.id === id ? chosen.textContent : null""")
        self.assertEqual(active(), "purple skirt")
        self.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        self.assertEqual(active(), "white top")
        self.press(Keys.ARROW_UP)
        self.assertEqual(self.focus(), "text", "the field keeps the focus")
        self.press(Keys.ENTER)
        self.settle()
        self.assertEqual(self.find("#text").get_property("value"), "yellow toy duck")
        self.assertFalse(self.find("#recent").is_displayed())
        # What is typed narrows them; Escape closes the list, and only that.
        field.clear()
        field.send_keys("top")
        self.assertEqual([option.text for option in self.all("#recent-list [role=option]")], ["white top"])
        self.press(Keys.ESCAPE)
        self.assertFalse(self.find("#recent").is_displayed())
        self.assertEqual(self.find("#text").get_property("value"), "top")

    def test_recent_searches_stay_on_this_device(self):
        self.open()
        self.type_query(QUERY)
        self.assertEqual(self.run_script("return JSON.parse(localStorage.getItem('albef.recent')).length"), 1)
        self.driver.refresh()
        self.settle()
        self.find("#text").clear()
        self.find("#text").click()
        self.until(lambda: self.find("#recent").is_displayed())
        self.find("#recent-clear").click()
        self.assertFalse(self.find("#recent").is_displayed())
        self.assertEqual(self.run_script("return localStorage.getItem('albef.recent')"), "[]")

    def test_examples_are_of_this_gallery(self):
        self.assertEqual([self.module("examples.js", "return m.wordsOf(values[0])", path) for path in (
            "/home/ann/Pictures/Beach holiday 2019", "/photos/IMG_2020", "/photos/DCIM", "/a/2021-06-03", "/照片/海边", "/a/Uploads")],
            ["Beach holiday", "", "", "", "海边", ""])
        self.open()
        self.until(lambda: any(place in [e.text for e in self.all("#examples button")] for place in ("Kyoto", "Lisbon", "Oslo", "杭州")))
        self.photograph("examples")
        for example in self.all("#examples button"):
            if example.text in ("Kyoto", "Lisbon", "Oslo", "杭州"):
                place = example.text
                example.click()
                break
        self.settle()
        self.assertIn(f"place={place}", [chip.text for chip in self.all("#chips .chip span")])

    def test_images_of_a_query(self):
        """More like this, less like this, and taking one away, as lists."""
        query = {"image": None, "likes": [], "unlike": []}
        a, b, c = ({"id": name, "name": f"{name}.jpg"} for name in "abc")
        liked = self.module("likes.js", "return m.liking(values[0], values[1])", query, [a, b])
        self.assertEqual(liked, {"image": a, "likes": [b], "unlike": []})
        disliked = self.module("likes.js", "return m.disliking(values[0], values[1])", liked, [a, c])
        self.assertEqual(disliked, {"image": b, "likes": [], "unlike": [a, c]})
        again = self.module("likes.js", "return m.liking(values[0], values[1])", disliked, [a])
        self.assertEqual(again, {"image": b, "likes": [a], "unlike": [c]})
        fields = self.module("likes.js", "return m.imageFields(values[0])", again)
        self.assertEqual(fields, {"images": ["b", "a"], "unlike": ["c"]})
