"""The form of conditions: years, camera, folder, shape, order; for searches and for browsing."""

import shutil
import struct

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from harness import PICTURES, PageTest, Server, png

QUERY = "white top and black trousers"
CAMERAS = ("Lumen 5", "Pocket 12")
FOLDERS = ("Family", "Journeys/Kyoto", "Journeys/Oslo")


def taken(jpeg, date, camera):
    """A JPEG that tells when and by which camera it was taken (Exif)."""
    def text(value):
        return value.encode() + b"\0"

    model, moment = text(camera), text(date)
    # A directory of two entries, the camera's name, and a directory of one entry, the moment.
    first = 8 + 2 + 2 * 12 + 4
    second = first + len(model)
    inner = second + 2 + 12 + 4
    exif = b"II*\0" + struct.pack("<IH", 8, 2)
    exif += struct.pack("<HHII", 0x0110, 2, len(model), first) + struct.pack("<HHII", 0x8769, 4, 1, second)
    exif += struct.pack("<I", 0) + model
    exif += struct.pack("<HHHIII", 1, 0x9003, 2, len(moment), inner, 0) + moment
    body = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


class FactTests(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder, index = PICTURES / "album", PICTURES / "album.index"
        for place in (folder, index):
            shutil.rmtree(place, ignore_errors=True)
        scenes = sorted((PICTURES / "scenes/images").glob("0*.jpg"))[:30]
        for number, scene in enumerate(scenes):
            own = folder / FOLDERS[number % 3]
            own.mkdir(parents=True, exist_ok=True)
            year, month = 2018 + number % 5, 1 + number % 12
            jpeg = taken(scene.read_bytes(), f"{year}:{month:02}:07 10:20:30", CAMERAS[number % 2])
            (own / f"IMG_{number:04}.jpg").write_bytes(jpeg)
        for number in range(4):
            (folder / "Family" / f"drawing {number}.png").write_bytes(png(300, 200, 40 * number))
        cls.album = Server("--photos", str(folder), "--index", str(index))

    @classmethod
    def tearDownClass(cls):
        cls.driver.get(cls.server.address + "/")
        cls.album.stop()

    def setUp(self):
        super().setUp()
        self.until(lambda: self.album.get("/api/images?limit=1")["total"] == 34)

    def open_form(self, **query):
        self.open(server=self.album, **query)
        self.find("#show-options").click()
        self.until(lambda: self.find("#fact-camera").is_displayed())

    def choose(self, name, value):
        Select(self.find(f"#{name}")).select_by_value(value)
        self.settle()

    def options(self, name):
        return [option.text for option in Select(self.find(f"#{name}")).options]

    def chips(self):
        return [chip.text for chip in self.all("#chips .chip span")]

    def shown(self):
        """The items behind the tiles."""
        return [self.album.get(f"/api/images/{tile['id']}") for tile in self.tiles()]

    def test_what_is_offered(self):
        self.open_form()
        self.assertEqual(self.options("fact-from"), ["any"] + [str(year) for year in range(2018, 2023)])
        self.assertEqual(self.options("fact-to"), ["any"] + [str(year) for year in range(2022, 2017, -1)])
        self.assertEqual(sorted(self.options("fact-camera")[1:]), ["Lumen 5 (15)", "Pocket 12 (15)"])
        self.assertEqual(self.options("fact-folder"), [
            "all folders", "Family (14)", "Journeys (20)", "Journeys / Kyoto (10)", "Journeys / Oslo (10)"])
        self.assertEqual(sorted(self.options("fact-shape")[1:]), ["landscape (4)", "square (30)"])
        self.photograph("facts")

    def test_browsing_with_conditions(self):
        self.open_form()
        self.choose("fact-from", "2020")
        self.assertEqual(self.text("#summary"), "18 images")
        self.choose("fact-to", "2021")
        self.assertEqual(self.text("#summary"), "12 images")
        self.choose("fact-camera", "Lumen 5")
        self.assertEqual(self.text("#summary"), "6 images")
        self.assertTrue(all(item["about"]["camera"] == "Lumen 5" and "2020" <= item["about"]["date"][:4] <= "2021"
                            for item in self.shown()))
        self.assertEqual(self.chips(), ["from 2020", "to 2021", "Lumen 5"])
        self.assertIn("where=camera%3DLumen+5", self.driver.current_url)
        # It is in the address, and in the history.
        self.driver.refresh()
        self.settle()
        self.assertEqual(self.text("#summary"), "6 images")
        self.driver.back()
        self.until(lambda: self.text("#summary") == "12 images")
        self.find("#show-options").click()
        self.until(lambda: self.find("#fact-camera").is_displayed())
        self.assertEqual(Select(self.find("#fact-from")).first_selected_option.get_attribute("value"), "2020")
        self.assertEqual(self.find("#fact-camera").get_property("value"), "")
        # A chip takes its condition away.
        self.find("#chips button").click()
        self.settle()
        self.assertEqual(self.chips(), ["to 2021"])
        self.assertEqual(self.find("#fact-from").get_property("value"), "")

    def test_years_in_order(self):
        self.open_form()
        self.choose("fact-to", "2019")
        self.choose("fact-from", "2021")
        self.assertEqual(self.chips(), ["from 2021", "to 2021"])
        self.assertEqual(self.text("#summary"), "6 images")

    def test_searching_with_conditions(self):
        folder = next(item for item in self.album.get("/api/facets")["folders"] if item["value"].endswith("Kyoto"))["value"]
        self.open_form(q=QUERY)
        self.choose("fact-folder", folder)
        self.assertEqual(self.chips(), ["Kyoto"])
        self.assertRegex(self.text("#summary"), "^10 images, best match first")
        self.assertTrue(all(item["folder"] == folder for item in self.shown()))
        # A folder has those in it.
        self.choose("fact-folder", folder.rsplit("/", 1)[0])
        self.assertRegex(self.text("#summary"), "^20 images, best match first")
        # Typed conditions stay beside the chosen ones.
        self.find("#condition").send_keys("date=2020", Keys.ENTER)
        self.settle()
        self.choose("fact-shape", "square")
        self.assertEqual(self.chips(), ["date=2020", "Journeys", "square"])
        self.photograph("facts-search")

    def test_nothing_fits(self):
        self.open_form()
        self.choose("fact-shape", "landscape")
        self.assertEqual(self.text("#summary"), "4 images")
        self.choose("fact-camera", "Lumen 5")
        title, detail = self.trouble()
        self.assertEqual(title, "Nothing matches")
        self.assertIn("Lumen 5, landscape", detail)
        self.find("#trouble button").click()
        self.settle()
        self.assertEqual(self.text("#summary"), "34 images")

    def test_orders(self):
        self.open_form()
        self.assertEqual(self.options("sort"), ["Folder and name", "Newest first", "Oldest first"])
        self.choose("sort", "date")
        self.assertEqual(self.text("#summary"), "34 images, newest first")
        dates = [item["about"].get("date", "") for item in self.shown()]
        self.assertEqual(dates, sorted(dates, reverse=True))
        self.assertIn("sort=date", self.driver.current_url)
        self.choose("sort", "-date")
        self.assertEqual(self.text("#summary"), "34 images, oldest first")
        dates = [item["about"].get("date", "9999") for item in self.shown()]
        self.assertEqual(dates, sorted(dates))
        self.driver.back()
        self.until(lambda: self.text("#summary") == "34 images, newest first")
        # The best matches of a search, in the order of their dates.
        self.type_query(QUERY)
        self.assertEqual(self.options("sort"), ["Best match", "Newest first", "Oldest first"])
        self.assertRegex(self.text("#summary"), r"^the \d+ best matches(, \d+ more like them)?, newest first")
        self.assertFalse(self.find("#order").is_displayed())
        dates = [item["about"].get("date", "") for item in self.shown()]
        self.assertEqual(dates, sorted(dates, reverse=True))
        self.assertEqual({tile["place"] for tile in self.tiles()}, {""}, "places would contradict the order")
        self.assertTrue(any(tile["value"] for tile in self.tiles()))
        self.choose("sort", "relevance")
        self.assertNotIn("sort=", self.driver.current_url)
        self.assertRegex(self.text("#summary"), r"^33 images, 1 more like them, best match first")

    def test_captions(self):
        self.open(server=self.album)
        captions = {tile["name"]: tile["caption"] for tile in self.tiles()}
        self.assertEqual(captions["IMG_0000.jpg"], "Jan 7, 2018 · Family")
        self.assertEqual(captions["drawing 1.png"], "drawing 1.png", "a name that says something stays")
        self.find(".tile .open").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        facts = dict(self.run_script("""
            return [...document.querySelectorAll("#viewer-facts div")].map((fact) =>
              [fact.querySelector("dt").textContent, fact.querySelector("dd").textContent])"""))
        self.assertEqual(facts["Camera"], "Lumen 5")
        self.assertRegex(facts["Taken"], r"^January 7, 2018 .*10:20")
        self.assertEqual(facts["Pixels"], "384 × 384")

    def test_phone_and_keys(self):
        for width, language in ((390, "en-GB"), (320, "zh-CN")):
            self.dress(width, 844, touch=True, language=language)
            self.open_form(where=["date>=2019", "camera=Lumen 5"])
            overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
            self.assertEqual(self.run_script(overflow), 0)
            self.photograph(f"facts-{width}")
        self.dress()
        self.open_form()
        self.run_script("document.getElementById('fact-camera').focus()")
        self.press(Keys.ARROW_DOWN)
        self.settle()
        self.until(lambda: self.text("#summary") == "15 images")
        self.assertEqual(self.focus(), "fact-camera", "the focus stays")

    def test_without_facets(self):
        self.expected = ["500"]
        self.open([{"path": "api/facets", "times": 9, "status": 500}], self.album)
        self.find("#show-options").click()
        self.until(lambda: self.asked("api/facets"))
        self.assertTrue(self.find("#condition").is_displayed())
        self.assertFalse(self.find("#fact-camera").is_displayed())
