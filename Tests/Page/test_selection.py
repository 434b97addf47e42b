"""Selecting images, and what can be done with many: download, copy, save the list, delete."""

import csv
import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from harness import PICTURES, PageTest
from writable import give_key, scenes, writable

QUERY = "white top and black trousers"


class SelectionTests(PageTest):
    def setUp(self):
        super().setUp()
        self.downloads = Path(tempfile.mkdtemp(dir=PICTURES))
        self.addCleanup(shutil.rmtree, self.downloads, True)
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def downloaded(self):
        """The one file that was downloaded, when it is whole."""
        def whole():
            files = [file for file in self.downloads.iterdir() if not file.name.endswith((".crdownload", ".tmp"))
                     and not file.name.startswith(".")]
            return files[0] if len(files) == 1 and files[0].stat().st_size else None
        return self.until(whole)

    def picked(self):
        return self.run_script("return [...document.querySelectorAll('.tile.picked')].map((tile) => tile.dataset.id)")

    def tile(self, place, part=".open"):
        return self.run_script("return document.querySelectorAll('#grid .tile')[arguments[0]].querySelector(arguments[1])", place, part)

    def hold(self, key, element):
        ActionChains(self.driver).key_down(key).click(element).key_up(key).perform()

    def select(self, *places):
        for place in places:
            self.hold(Keys.CONTROL, self.tile(place))

    def count(self):
        return self.text("#selection-count")

    def menu(self, name):
        self.find("#selection-more").click()
        self.until(lambda: self.find("#selection-menu").is_displayed())
        self.find(f"#selection-{name}").click()

    def test_by_mouse(self):
        self.open(q=QUERY)
        ids = [tile["id"] for tile in self.tiles()]
        shown = lambda: [float(self.tile(place, ".pick").value_of_css_property("opacity")) for place in (0, 1)]
        self.assertEqual(shown(), [0, 0])
        self.run_script("document.querySelector('.tile .open').focus()")
        self.until(lambda: shown() == [1, 0])
        self.assertFalse(self.find("#selection").is_displayed())
        self.tile(0, ".pick").click()
        self.assertEqual((self.count(), self.picked()), ("1 selected", ids[:1]))
        self.assertTrue(self.find("#selection").is_displayed())
        self.assertFalse(self.find("#viewer").is_displayed(), "a check mark does not open the image")
        self.hold(Keys.CONTROL, self.tile(2))
        self.hold(Keys.SHIFT, self.tile(5))
        self.assertEqual(set(self.picked()), {ids[0], *ids[2:6]})
        # The range follows its end.
        self.hold(Keys.SHIFT, self.tile(3))
        self.assertEqual(set(self.picked()), {ids[0], *ids[2:4]})
        # While something is selected, a click selects.
        self.tile(1).click()
        self.assertEqual(self.count(), "4 selected")
        self.assertEqual(shown(), [1, 1])
        self.photograph("selected")
        self.tile(1).click()
        self.assertEqual(self.count(), "3 selected")
        self.find("#selection-clear").click()
        self.assertFalse(self.find("#selection").is_displayed())
        self.assertEqual(self.picked(), [])
        self.tile(1).click()
        self.until(lambda: self.find("#viewer").is_displayed())

    def test_by_keyboard(self):
        self.open(q=QUERY)
        ids = [tile["id"] for tile in self.tiles()]
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press("x")
        self.assertEqual(self.picked(), ids[:1])
        self.assertIn("1 selected", self.text("#live"))
        self.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.press(Keys.SHIFT + Keys.ARROW_RIGHT)
        self.press(Keys.SHIFT + Keys.ARROW_RIGHT)
        self.assertEqual(set(self.picked()), {ids[0], *ids[2:5]})
        self.press(Keys.SHIFT + Keys.ARROW_LEFT)
        self.assertEqual(set(self.picked()), {ids[0], *ids[2:4]})
        self.assertEqual(self.focus(), ids[3])
        # Enter opens the image all the same.
        self.press(Keys.ENTER)
        self.until(lambda: self.find("#viewer").is_displayed())
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.assertEqual(self.count(), "3 selected", "Escape closes the image first")
        self.press(Keys.CONTROL + "a")
        self.assertTrue(set(ids) <= set(self.picked()))
        self.press(Keys.ESCAPE)
        self.assertEqual(self.picked(), [])
        self.assertFalse(self.find("#selection").is_displayed())
        # The keys that are letters can be turned off.
        self.run_script("document.getElementById('single-keys').click()")
        self.press("x")
        self.assertEqual(self.picked(), [])

    def test_the_bar_covers_nothing_that_has_the_focus(self):
        self.dress(height=560)
        self.open(q=QUERY)
        self.run_script("document.querySelector('.tile .open').focus()")
        self.press("x")
        for _ in range(3):
            self.press(Keys.ARROW_DOWN)
            below, bar = self.run_script("""
                return [document.activeElement.getBoundingClientRect().bottom,
                        document.getElementById("selection").getBoundingClientRect().top]""")
            self.assertLessEqual(below, bar)

    def test_what_a_screen_reader_is_told(self):
        self.open(q=QUERY)
        name = self.tiles()[0]["name"]
        mark = self.tile(0, ".pick")
        self.assertEqual((mark.aria_role, mark.accessible_name, mark.get_attribute("aria-checked")),
                         ("checkbox", f"Select {name}", "false"))
        self.select(0)
        self.assertEqual(mark.get_attribute("aria-checked"), "true")
        self.assertEqual(self.find("#selection").accessible_name, "Selected images")

    def test_on_a_phone(self):
        self.dress(width=390, height=844, touch=True)
        self.open(q=QUERY)
        self.find("#start-selecting").click()
        self.assertEqual(self.count(), "Choose images")
        self.assertFalse(self.find("#selection-download").is_enabled())
        self.tile(0).click()
        self.tile(1).click()
        self.assertEqual(self.count(), "2 selected")
        self.assertFalse(self.find("#viewer").is_displayed())
        overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        self.assertEqual(self.run_script(overflow), 0)
        self.photograph("phone-selected")
        box = self.find("#selection").rect
        for control in self.all("#selection .acts:not(.menu) button"):
            if control.is_displayed():
                self.assertLessEqual(control.rect["x"] + control.rect["width"], box["width"])
        self.find("#start-selecting").click()
        self.assertFalse(self.find("#selection").is_displayed())

    def test_a_long_touch_begins(self):
        self.dress(width=390, height=844, touch=True)
        self.open(q=QUERY)
        self.run_script("""
            document.querySelector(".tile .open").dispatchEvent(
              new PointerEvent("contextmenu", { bubbles: true, cancelable: true, pointerType: "touch" }))""")
        self.assertEqual(self.count(), "1 selected")

    def test_another_search_begins_with_nothing(self):
        self.open(q=QUERY)
        self.select(0, 1)
        self.run_script("document.querySelector('#order [value=recall]').click()")
        self.assertEqual(self.count(), "2 selected", "another order is the same search")
        self.type_query("yellow toy duck")
        self.assertEqual(self.picked(), [])
        self.assertFalse(self.find("#selection").is_displayed())

    def test_all_that_is_shown(self):
        self.open()
        self.select(0)
        self.find("#selection-all").click()
        self.assertRegex(self.count(), r"^\d+ selected$")
        self.assertGreaterEqual(int(self.count().split()[0]), 24)
        self.assertFalse(self.find("#selection-all").is_enabled())
        self.assertFalse(self.find("#selection-like").is_enabled(), "no search takes as many images")

    def test_download_one(self):
        self.open(q=QUERY)
        first = self.tiles()[0]
        self.select(0)
        self.find("#selection-download").click()
        file = self.downloaded()
        self.assertEqual(file.name, first["name"])
        self.assertEqual(file.read_bytes()[:2], b"\xff\xd8")

    def test_download_many(self):
        self.open(q=QUERY)
        names = [tile["name"] for tile in self.tiles()[:3]]
        self.select(0, 1, 2)
        self.find("#selection-download").click()
        self.until(lambda: "3 images downloaded" in self.text("#selection-said"))
        file = self.downloaded()
        self.assertEqual(file.suffix, ".zip")
        with zipfile.ZipFile(file) as archive:
            self.assertEqual(sorted(archive.namelist()), sorted(names))
            self.assertIsNone(archive.testzip())

    def test_a_download_can_be_stopped(self):
        self.open([{"path": "api/archive", "times": 1, "holds": True}], q=QUERY)
        self.select(0, 1)
        self.find("#selection-download").click()
        self.until_held()
        self.assertTrue(self.find("#selection-progress").is_displayed())
        self.assertFalse(self.find("#selection-download").is_enabled())
        self.find("#selection-stop").click()
        self.until(lambda: self.text("#selection-said") == "Stopped")
        self.assertTrue(self.find("#selection-download").is_enabled())
        self.assertEqual(self.count(), "2 selected")

    def test_an_archive_that_fails(self):
        problem = {"title": "Busy", "detail": "too much at once"}
        self.open([{"path": "api/archive", "times": 1, "status": 500, "body": problem}], q=QUERY)
        self.select(0, 1)
        self.find("#selection-download").click()
        self.until(lambda: "too much at once" in self.text("#notes"))

    def test_copying(self):
        self.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
                     origin=self.server.address)
        self.open(q=QUERY)
        ids = [tile["id"] for tile in self.tiles()[:2]]
        paths = [self.server.get(f"/api/images/{id}")["path"] for id in ids]
        self.select(0, 1)
        self.menu("paths")
        self.until(lambda: self.text("#selection-said") == "2 paths copied")
        read = "navigator.clipboard.readText().then(arguments[0])"
        self.assertEqual(self.driver.execute_async_script(read).splitlines(), paths)
        self.menu("links")
        self.until(lambda: self.text("#selection-said") == "2 links copied")
        self.assertEqual(self.driver.execute_async_script(read).splitlines(),
                         [f"{self.server.address}/?view={id}" for id in ids])

    def test_the_list_as_json(self):
        self.open(q=QUERY)
        self.select(0, 2)
        self.menu("json")
        rows = json.loads(self.downloaded().read_text("utf-8"))
        self.assertEqual([row["rank"] for row in rows], [1, 3])
        tiles = self.tiles()
        self.assertEqual([row["name"] for row in rows], [tiles[0]["name"], tiles[2]["name"]])
        self.assertEqual(list(rows[0]), ["rank", "name", "path", "probability", "similarity", "date", "metadata"])
        self.assertIn("year", rows[0]["metadata"])
        self.assertIsInstance(rows[0]["probability"], float)

    def test_the_list_as_csv(self):
        self.open(q=QUERY)
        self.select(0, 1)
        self.menu("csv")
        text = self.downloaded().read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([row["rank"] for row in rows], ["1", "2"])
        self.assertEqual(rows[0]["name"], self.tiles()[0]["name"])
        self.assertLess(float(rows[0]["probability"]), 1.0001)
        self.assertIn("place", rows[0])

    def cells(self, *values):
        return self.driver.execute_async_script("""
            const [values, done] = arguments;
            import("/exports.js").then((m) => done(values.map(m.cell)))""", list(values))

    def test_cells(self):
        self.assertEqual(self.cells("plain", 'say "yes"', "a,b", "a\nb", " a ", ["x", "y"], True, None, 3, -0.25, {"a": 1}),
                         ["plain", '"say ""yes"""', '"a,b"', '"a\nb"', '" a "', '"x; y"', "true", "", "3", "-0.25", '"{""a"":1}"'])
        # What a spreadsheet would compute.
        for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1+1", "=HYPERLINK(\"http://x\",\"y\")", "\r=1", "%0a=1"):
            cell = self.cells(text)[0]
            read = next(csv.reader(io.StringIO(cell, newline="")))
            self.assertEqual(read, ["'" + text], text)

    def test_csv_of_other_peoples_names(self):
        items = [
            {"name": '=cmd|"/c calc"!A1', "path": "/a,b/c.jpg", "metadata": {"note": "line\none", "rank": 7}},
            {"name": "图片.jpg", "rank": 2, "similarity": -0.5, "match_probability": 0.25, "about": {"date": "2020-06-14T12:34:56"},
             "metadata": {"tags": ["a", "b"]}},
        ]
        text = self.driver.execute_async_script("""
            const [items, done] = arguments;
            import("/exports.js").then((m) => done(m.asCSV(items)))""", items)
        self.assertTrue(text.startswith("\ufeff"))
        rows = list(csv.reader(io.StringIO(text[1:], newline="")))
        self.assertEqual(rows, [
            ["rank", "name", "path", "probability", "similarity", "date", "note", "metadata.rank", "tags"],
            ["", "'=cmd|\"/c calc\"!A1", "/a,b/c.jpg", "", "", "", "line\none", "7", ""],
            ["2", "图片.jpg", "", "0.25", "-0.5", "2020-06-14T12:34:56", "", "", "a; b"],
        ])

    def test_archives_have_a_thousand_images_at_most(self):
        sizes = self.driver.execute_async_script("""
            import("/archive.js").then((m) => arguments[0]([
              m.partsOf(Array.from({ length: 2500 }, (_, id) => ({ id }))).map((part) => part.length),
              m.bytesOf([{ size: 2 }, { size: 3 }]), m.bytesOf([{ size: 2 }, {}])]))""")
        self.assertEqual(sizes, [[1000, 1000, 500], 5, None])

    def test_search_with_what_is_selected(self):
        self.open()
        ids = [tile["id"] for tile in self.tiles()[:2]]
        self.select(0, 1)
        self.find("#selection-like").click()
        self.settle()
        self.assertEqual(self.driver.current_url.split("?")[1], f"image={ids[0]}&image={ids[1]}")
        self.assertFalse(self.find("#selection").is_displayed())

    def test_nobody_may_delete_without_a_key(self):
        self.open()
        self.select(0)
        self.assertFalse(self.find("#selection-delete").is_displayed())

    def test_delete(self):
        self.expected = ["409", "401"]
        with writable("deleting", 4, follows=True) as own:
            self.open(server=own)
            self.until(lambda: len(self.tiles()) == 4)
            self.find("#upload-files").send_keys("\n".join(str(scene) for scene in scenes(3, start=20)))
            give_key(self)
            self.until(lambda: len(self.tiles()) == 7)
            self.find("#uploads-close").click()
            self.assertEqual(len(list(own.uploads.glob("*.jpg"))), 3)
            sent = {scene.name for scene in scenes(3, start=20)}
            places = [n for n, tile in enumerate(self.tiles()) if tile["name"] in sent]
            kept = next(n for n in range(7) if n not in places)
            self.select(*places[:2], kept)
            self.find("#selection-delete").click()
            self.until(lambda: self.find("#confirm").is_displayed())
            self.assertIn("permanently", self.text("#confirm-text"))
            self.assertIn("stay", self.text("#confirm-text"))
            self.photograph("confirm-delete")
            # Who is asked is asked with the harmless answer chosen.
            self.assertEqual(self.run_script("return document.activeElement.textContent"), "Cancel")
            self.press(Keys.ENTER)
            self.assertEqual(len(list(own.uploads.glob("*.jpg"))), 3)
            self.find("#selection-delete").click()
            self.find("#confirm .danger").click()
            self.until(lambda: len(self.tiles()) == 5)
            self.assertEqual(len(list(own.uploads.glob("*.jpg"))), 1)
            self.assertEqual(len(list(own.folder.glob("*.jpg"))), 4, "files of the folder stay")
            self.assertIn("2 images deleted", self.text("#selection-said") + self.text("#live"))
            self.leave()
