"""What the page says of its gallery: files that are skipped or gone, none yet, and a key."""

import shutil
import subprocess

from selenium.webdriver.common.keys import Keys

from harness import ALBEF, GALLERY, PICTURES, ROOT, PageTest, Server, help_text

QUERY = "white top and black trousers"


class GalleryTests(PageTest):
    def test_skipped_files(self):
        files = [{"path": f"holiday/<b>{n}</b>.jpg", "reason": "it ends too early"} for n in range(3)]
        skipped = {"skipped": {"count": 120, "files": files}, "indexing": None}
        self.open([{"path": "api/index", "times": 99, "patch": skipped}])
        self.until(lambda: "120 files were skipped" in self.text("#notes"))
        self.assertEqual(self.text("#show-skipped"), "120 files skipped")
        self.photograph("skipped-note")
        self.find("#notes button").click()
        self.until(lambda: self.find("#skipped").is_displayed())
        self.assertEqual(
            self.run_script("return [...document.querySelectorAll('#skipped-list li')].map((l) => [...l.children].map((c) => c.textContent))"),
            [[file["path"], file["reason"]] for file in files])
        self.assertEqual(self.text("#skipped-rest"), "and 117 more files")
        self.assertFalse(self.find("#skipped-kinds").is_displayed())
        self.photograph("skipped")
        self.press(Keys.ESCAPE)
        self.all("#notes button")[1].click()
        self.until(lambda: self.text("#notes") == "")
        # It was read: the note does not come again, and the list stays.
        self.open([{"path": "api/index", "times": 99, "patch": skipped}])
        self.until(lambda: self.find("#show-skipped").is_displayed())
        self.assertEqual(self.text("#notes"), "")
        self.find("#show-skipped").click()
        self.until(lambda: self.find("#skipped").is_displayed())
        # Other files were skipped since.
        more = {"skipped": {"count": 121, "files": files}, "indexing": None}
        self.open([{"path": "api/index", "times": 99, "patch": more}])
        self.until(lambda: "121 files were skipped" in self.text("#notes"))
        # Files of other kinds are no cause for a note.
        kinds = {"skipped": {"count": 0, "files": [], "passed_over": {"ico": 2, "mov": 1000}}, "indexing": None}
        self.open([{"path": "api/index", "times": 99, "patch": kinds}])
        self.until(lambda: self.text("#show-skipped") == "1,002 files skipped")
        self.assertEqual(self.text("#notes"), "")
        self.find("#show-skipped").click()
        self.assertEqual(self.text("#skipped-kinds"), "Files of unsupported types: 1000 × mov, 2 × ico")

    def test_a_folder_that_is_away(self):
        error = "/photos: there is no such directory"
        away = {"indexing": {"done": 0, "total": 0, "failed": 0, "is_running": False, "error": error}}
        for query in ({}, {"q": QUERY}):
            self.open([{"path": "api/index", "times": 99, "patch": away}], **query)
            self.until(lambda: error in self.text("#notes"))
            self.assertIn("Changes in the image folder", self.text("#notes"))
        self.photograph("folder-away")

    def test_images_appear_by_themselves(self):
        folder, index = PICTURES / "folder", PICTURES / "folder.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        folder.mkdir()
        scenes = sorted((PICTURES / "scenes/images").glob("*.jpg"))
        with Server("--index", str(index), "--photos", str(folder)) as own:
            self.open(server=own)
            self.assertEqual(self.trouble()[0], "There are no images yet")
            self.photograph("empty")
            # Nothing was there to be searched.
            self.find("#text").send_keys(QUERY + "\n")
            self.until(lambda: self.text("#trouble-title") == "There is nothing to search yet")
            self.assertNotIn("Other words", self.text("#trouble-detail"))
            self.photograph("empty-search")
            for scene in scenes[:5]:
                shutil.copy(scene, folder)
            self.until(lambda: len(self.tiles()) == 5)
            self.assertFalse(self.find("#trouble").is_displayed())
            self.leave()

    def test_an_empty_page_asks_often(self):
        self.open([{"path": "api/images", "times": 1, "status": 200, "body": {"total": 0, "images": []}},
                   {"path": "api/index", "times": 2, "patch": {"images": 0, "indexing": None}}])
        self.assertEqual(self.trouble()[0], "There are no images yet")
        # The next look is near even where nothing runs; then there are images.
        pauses = self.run_script("return pauses")
        self.assertTrue(pauses and max(pauses) <= 2000, pauses)
        self.until(self.tiles)

    def test_files_that_are_gone(self):
        self.expected = ["404"]
        folder, index = PICTURES / "gone", PICTURES / "gone.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        folder.mkdir()
        for scene in sorted((PICTURES / "scenes/images").glob("*.jpg"))[:6]:
            shutil.copy(scene, folder)
        subprocess.run([ALBEF, "index", "add", str(folder), "--model", "wardrobe", "--index", str(index)], cwd=ROOT, check=True,
                       capture_output=True)
        gone = sorted(folder.glob("*.jpg"))[2]
        gone.unlink()
        with Server("--index", str(index)) as own:
            self.open(server=own)
            self.until(lambda: self.all(".tile.lost"))
            tile = next(t for t in self.tiles() if t["name"] == gone.name)
            self.assertIn("No preview", tile["label"])
            self.assertEqual(len(self.all(".tile.lost")), 1)
            self.assertFalse(self.find(".tile.lost img").is_displayed(), "the browser's own sign is not shown")
            self.assertTrue(self.find(".tile.lost .gone svg").is_displayed())
            self.photograph("gone")
            self.find(".tile.lost .open").click()
            self.until(lambda: self.find("#viewer-gone").is_displayed())
            self.assertFalse(self.find("#viewer-picture").is_displayed())
            self.assertIn("moved or deleted", self.text("#viewer-gone"))
            self.photograph("gone-viewer")
            self.press(Keys.ARROW_LEFT)
            self.until(lambda: self.run_script("return document.getElementById('viewer-picture').naturalWidth > 0"))
            self.assertFalse(self.find("#viewer-gone").is_displayed())
            self.leave()

    def test_a_key_for_reading(self):
        body = {"type": "urn:albef:problem:unauthorized", "title": "A key is needed", "detail": "a key"}
        refused = {"status": 401, "body": body}
        rules = [{"path": path, "times": 2, **refused} for path in ("api/index", "api/images")]
        self.open(rules)
        self.until(lambda: self.find("#access").is_displayed())
        self.assertFalse(self.find("#trouble").is_displayed())
        self.assertEqual(self.focus(), "access-key")
        self.assertFalse(self.find("#access-error").is_displayed())
        self.photograph("access")
        self.press("wrong-key-wrong-key", Keys.ENTER)
        self.until(lambda: self.find("#access-error").is_displayed())
        self.assertNotIn("albef_key", self.run_script("return document.cookie"))
        self.assertTrue(self.find("#access").is_displayed())
        self.photograph("access-refused")
        self.find("#access-key").clear()
        self.find("#access-key").send_keys("right;key%right\n")
        self.until(self.tiles)
        self.assertFalse(self.find("#access").is_displayed())
        self.assertEqual(self.asked("api/images")[-1]["headers"]["Authorization"], "Bearer right;key%right")
        # Images are asked for with a cookie, which other sites cannot have sent.
        cookie = next(c for c in self.driver.get_cookies() if c["name"] == "albef_key")
        self.assertEqual((cookie["value"], cookie["sameSite"], cookie["path"]), ("right%3Bkey%25right", "Strict", "/"))
        self.assertNotIn("expiry", cookie, "it goes with the browser")
        # The key lasts as long as the tab.
        self.driver.refresh()
        self.settle()
        self.assertIn("Authorization", self.asked("api/index")[0]["headers"])
        self.driver.delete_all_cookies()

    def test_a_service_that_asks_for_a_key(self):
        if "--read-key-file" not in help_text():
            self.skipTest("the program has no key for reading")
        self.expected = ["401"]
        key = PICTURES / "read.key"
        key.write_text("0123456789abcdef-read\n")
        with Server(*GALLERY, "--read-key-file", str(key)) as guarded:
            self.open(server=guarded)
            self.until(lambda: self.find("#access").is_displayed())
            self.find("#access-key").send_keys("0123456789abcdef-read\n")
            self.until(self.tiles)
            self.until(lambda: self.run_script("return document.querySelector('.tile img').naturalWidth > 0"))
            self.find(".tile .open").click()
            self.until(lambda: self.run_script("return document.getElementById('viewer-picture').naturalWidth > 0"))
            # A browser that was closed has forgotten it.
            self.driver.delete_all_cookies()
            self.run_script("sessionStorage.clear()")
            self.driver.refresh()
            self.until(lambda: self.find("#access").is_displayed())
            self.leave()
