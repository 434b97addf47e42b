"""The folder that is followed: its state, what is left out of it, and looking through it now."""

import shutil

from selenium.webdriver.common.keys import Keys

from harness import PageTest
from writable import give_key, scenes, writable


class FolderTests(PageTest):
    def facts(self):
        return dict(self.run_script("""
            return [...document.querySelectorAll("#folder-facts div")].map((row) => [...row.children].map((c) => c.textContent))"""))

    def test_the_state_of_the_folder(self):
        with writable("followed", 4, follows=True) as own:
            (own.folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")
            (own.folder / "film.mov").write_bytes(b"film")
            self.open(server=own)
            self.until(lambda: "2 files skipped" in self.text("#show-skipped"))
            self.assertEqual(self.text("#show-skipped"), "Folder · 2 files skipped")
            self.find("#show-skipped").click()
            self.assertEqual(self.text("#skipped-title"), "Folder")
            facts = self.facts()
            self.assertEqual(facts["In the index"], "4 images")
            self.assertRegex(facts["Last scan"], r"\d{4}")
            self.assertIn("broken.jpg", self.text("#skipped-list"))
            self.assertIn("1 × mov", self.text("#skipped-kinds"))
            self.assertIn("@eaDir", self.text("#folder-excluded"))
            self.assertIn(".albefignore", self.text("#folder-rules"))
            self.photograph("folder")
            self.press(Keys.ESCAPE)
            self.dress(width=390, height=844, touch=True, scheme="dark", language="zh-CN")
            self.open(server=own)
            self.run_script("document.getElementById('language').lang")
            self.until(lambda: self.find("#show-skipped").is_displayed())
            self.find("#show-skipped").click()
            self.photograph("phone-folder")
            overflow = "const d = document.querySelector('#skipped .scroll'); return d.scrollWidth - d.clientWidth"
            self.assertEqual(self.run_script(overflow), 0)
            self.press(Keys.ESCAPE)
            self.leave()

    def test_looking_through_it_now(self):
        self.expected = ["401"]
        with writable("scanned", 3, follows=True) as own:
            self.open(server=own)
            self.until(lambda: self.find("#show-skipped").is_displayed())
            self.find("#show-skipped").click()
            before = own.get("/api/index")["indexing"]["last_scan"]
            self.find("#folder-scan").click()
            give_key(self, "not-the-key-of-this-one")
            self.until(lambda: self.find("#writing-key-error").is_displayed())
            give_key(self)
            self.until(lambda: "scanning the folder" in self.text("#folder-said"))
            self.assertTrue(self.find("#skipped").is_displayed())
            self.until(lambda: own.get("/api/index")["indexing"]["last_scan"] != before)
            # The panel shows what the folder has become.
            shutil.copy(scenes(1, start=25)[0], own.folder)
            self.find("#folder-scan").click()
            self.until(lambda: self.facts()["In the index"] == "4 images")
            self.photograph("folder-scanned")
            self.press(Keys.ESCAPE)
            self.leave()

    def test_without_a_key_nobody_has_it_looked_through(self):
        indexing = {"indexing": {"is_running": False, "done": 3, "total": 3, "failed": 0, "error": None, "last_scan": None}}
        self.open([{"path": "api/index", "times": 99, "patch": indexing}])
        self.until(lambda: self.text("#show-skipped") == "Folder")
        self.find("#show-skipped").click()
        self.assertEqual(self.facts()["Last scan"], "not yet")
        self.assertFalse(self.find("#folder-scan").is_displayed())

    def test_what_is_being_added(self):
        indexing = {"indexing": {"is_running": True, "done": 30, "total": 200, "failed": 1, "error": "the disk is full",
                                 "last_scan": "2026-03-04T05:06:07Z"}}
        self.open([{"path": "api/index", "times": 99, "patch": indexing}])
        self.until(lambda: self.find("#show-skipped").is_displayed())
        self.run_script("document.getElementById('show-skipped').click()")
        self.assertEqual(self.facts()["Being added"], "30 of 200")
        self.assertIn("2026", self.facts()["Last scan"])
        self.assertIn("the disk is full", self.text("#folder-trouble"))
        self.assertTrue(self.find("#folder-bar").is_displayed())
        self.photograph("folder-running")
        self.press(Keys.ESCAPE)

    def test_no_folder_is_followed(self):
        self.open()
        self.until(lambda: self.text("#about"))
        self.assertFalse(self.find("#show-skipped").is_displayed())
