"""Adding, replacing and deleting images from the page, with the key that writing needs."""

from selenium.webdriver.common.keys import Keys

from harness import PICTURES, PageTest, png
from relay import Relay
from writable import KEY, give_key, scenes, writable

# Carries new files over the page and drops them at a place, as shares of the window's size.
DROP = """
const [names, x, y, done] = arguments;
const carried = new DataTransfer();
for (const name of names) carried.items.add(new File([new Uint8Array([255, 216, 255])], name, { type: "image/jpeg" }));
const send = (kind) => document.body.dispatchEvent(new DragEvent(kind, {
  bubbles: true, cancelable: true, dataTransfer: carried, clientX: x * innerWidth, clientY: y * innerHeight }));
send("dragenter");
send("dragover");
const said = [...document.querySelectorAll("#drop p")].filter((p) => p.checkVisibility()).map((p) => p.textContent);
const near = document.querySelector("#drop .near")?.id ?? null;
window.drop = () => send("drop");
done([said, near]);
"""

# The colour in the middle of the image that is open.
SHADE = """
const image = document.getElementById("viewer-picture");
if (!image.complete || !image.naturalWidth) return null;
const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
context.drawImage(image, image.naturalWidth / 2, image.naturalHeight / 2, 1, 1, 0, 0, 1, 1);
return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
"""


class UploadTests(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = writable("uploading", 3)

    @classmethod
    def tearDownClass(cls):
        cls.own.stop()

    def tearDown(self):
        self.command("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        super().tearDown()
        self.leave()

    def choose(self, *files):
        self.find("#upload-files").send_keys("\n".join(str(file) for file in files))

    def states(self):
        return self.run_script("return [...document.querySelectorAll('#uploads li')].map((row) => row.dataset.state)")

    def over(self):
        return self.until(lambda: (states := self.states()) and not {"waiting", "sending"} & set(states) and states)

    def total(self):
        return self.own.get("/api/images?limit=1")["total"]

    def test_a_gallery_that_nobody_may_change(self):
        self.open()
        self.until(lambda: self.text("#about"))
        self.assertFalse(self.find("#add-images").is_displayed())
        said, near = self.driver.execute_async_script(DROP, ["one.jpg", "two.jpg"], 0.9, 0.5)
        self.assertEqual((said, near), (["Drop to search with the first image"], None))
        said, _ = self.driver.execute_async_script(DROP, ["one.jpg"], 0.9, 0.5)
        self.assertEqual(said, ["Drop an image to search with it"])

    def test_files_are_added_with_the_key(self):
        self.expected = ["401", "422"]
        broken = PICTURES / "broken.jpg"
        broken.write_bytes(b"\xff\xd8\xff no image")
        before = self.total()
        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        self.choose(*scenes(2, start=30), broken)
        self.until(lambda: self.find("#key-prompt").is_displayed())
        self.assertEqual(self.focus(), "writing-key")
        self.photograph("key-for-writing")
        give_key(self, "not-the-key-of-this-one")
        self.until(lambda: self.find("#writing-key-error").is_displayed())
        self.assertEqual(self.total(), before)
        give_key(self)
        self.assertEqual(self.over(), ["done", "done", "failed"])
        self.assertEqual(self.total(), before + 2)
        row = self.all("#uploads li")[2]
        self.assertIn("The image cannot be read", row.text)
        self.assertIn("JPEG", row.text, "the reason is the server's")
        self.assertEqual(self.text("#uploads-title"), "2 images added, 1 failed")
        self.photograph("uploads")
        # What was added is there to be seen.
        self.until(lambda: len(self.tiles()) == before + 2)
        self.all("#uploads li button")[0].click()
        self.until(lambda: self.find("#viewer").is_displayed())
        self.assertEqual(self.text("#viewer-name"), scenes(1, start=30)[0].name)
        self.press(Keys.ESCAPE)
        self.until(lambda: not self.find("#viewer").is_displayed())
        # A file that was mended can be tried again, without the key being asked for.
        self.find("#uploads-retry").click()
        self.assertEqual(self.over(), ["done", "done", "failed"])
        self.assertFalse(self.find("#key-prompt").is_displayed())
        # The key is nowhere but in the page's memory.
        kept = self.run_script("return JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
        self.assertNotIn(KEY, kept)
        self.driver.refresh()
        self.settle()
        self.choose(scenes(1, start=40)[0])
        self.until(lambda: self.find("#key-prompt").is_displayed())
        self.press(Keys.ESCAPE)
        self.assertEqual(self.over(), ["cancelled"])
        self.assertEqual(self.total(), before + 2)

    def test_a_file_on_its_way_is_cancelled_and_sent_again(self):
        before = self.total()
        relay = Relay(self.own)
        self.addCleanup(relay.stop)
        self.open(server=relay)
        self.until(lambda: self.find("#add-images").is_displayed())
        relay.hold()
        self.choose(*scenes(3, start=50))
        give_key(self)
        self.until(lambda: self.states() == ["sending", "sending", "waiting"])
        self.assertTrue(self.find("#uploads-share").is_displayed())
        self.all("#uploads li button")[2].click()
        self.assertEqual(self.states(), ["sending", "sending", "cancelled"])
        self.find("#uploads-cancel").click()
        self.assertEqual(self.states(), ["cancelled"] * 3)
        self.assertEqual(self.total(), before)
        # The browser closes the connections of what it cancelled some time after the page says so.
        self.until(lambda: relay.dropped >= 2)
        relay.release()
        self.all("#uploads li button")[0].click()
        self.assertEqual(self.over(), ["done", "cancelled", "cancelled"])
        self.assertEqual(self.total(), before + 1)
        self.find("#uploads-close").click()
        self.assertFalse(self.find("#uploads").is_displayed())
        self.assertEqual(self.all("#uploads li"), [])

    def test_a_server_that_cannot_be_reached(self):
        self.expected = ["ERR_INTERNET_DISCONNECTED"]
        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        self.command("Network.enable")
        self.command("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
        self.choose(scenes(1, start=60)[0])
        give_key(self)
        self.assertEqual(self.over(), ["failed"])
        self.assertIn("The server does not answer", self.find("#uploads li").text)

    def test_two_ways_to_drop(self):
        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        said, near = self.driver.execute_async_script(DROP, ["one.jpg"], 0.2, 0.5)
        self.assertEqual(said, ["Drop an image to search with it", "Drop to add it to the gallery"])
        self.assertEqual(near, "drop-search")
        self.photograph("drop-two-ways")
        said, near = self.driver.execute_async_script(DROP, ["one.jpg", "two.jpg"], 0.8, 0.5)
        self.assertEqual(said, ["Drop to search with the first image", "Drop to add 2 images to the gallery"])
        self.assertEqual(near, "drop-add")
        self.run_script("drop()")
        self.until(lambda: self.find("#key-prompt").is_displayed())
        self.assertEqual(len(self.states()), 2)
        self.press(Keys.ESCAPE)
        self.assertEqual(self.over(), ["cancelled", "cancelled"])
        self.assertFalse(self.find("#drop").is_displayed())

    def test_an_image_is_replaced_and_deleted(self):
        first, second = scenes(2, start=70)
        before = self.total()
        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        self.choose(first)
        give_key(self)
        self.assertEqual(self.over(), ["done"])
        self.find("#uploads li button").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        id = self.driver.current_url.split("view=")[1]
        address = f"/api/images/{id}"
        old = self.own.get(address)["sha256"]
        shown = "return document.getElementById('viewer-picture').currentSrc"
        source = self.run_script(shown)
        self.find("#replacement").send_keys(str(second))
        self.until(lambda: self.text("#viewer-said") == "Replaced")
        self.assertNotEqual(self.own.get(address)["sha256"], old)
        self.until(lambda: self.run_script(shown) != source, )
        self.photograph("replaced")
        self.find("#viewer-delete").click()
        self.until(lambda: self.find("#confirm").is_displayed())
        self.press(Keys.ESCAPE)
        self.assertTrue(self.find("#viewer").is_displayed(), "only the question is closed")
        self.find("#viewer-delete").click()
        self.find("#confirm .danger").click()
        self.until(lambda: not self.find("#viewer").is_displayed())
        self.until(lambda: self.total() == before)
        self.until(lambda: id not in [tile["id"] for tile in self.tiles()])

    def test_a_replaced_image_is_shown_with_its_new_pixels(self):
        files = {shade: PICTURES / f"shade-{shade}.png" for shade in (20, 120, 220)}
        for shade, file in files.items():
            file.write_bytes(png(3000, 2000, shade))

        def assert_enlarged(shade):
            """The thumbnail, the original and what is downloaded have the colour."""
            self.until(lambda: abs((self.run_script(SHADE) or [999])[0] - shade) < 4)
            self.run_script("for (let n = 0; n < 5; n += 1) document.getElementById('zoom-in').click()")
            self.until(lambda: self.find("#viewer-pixels").get_attribute("data-state") == "pixelsAll")
            self.assertEqual(self.run_script(SHADE), [shade, 160, 255 - shade])
            sizes = self.driver.execute_async_script("""
                const done = arguments[0];
                fetch(document.getElementById("viewer-original").href).then((r) => r.blob()).then(({ size }) => done(size))""")
            self.assertEqual(sizes, files[shade].stat().st_size)

        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        self.choose(files[20])
        give_key(self)
        self.assertEqual(self.over(), ["done"])
        self.find("#uploads li button").click()
        self.until(lambda: self.find("#viewer").is_displayed())
        id = self.driver.current_url.split("view=")[1]
        assert_enlarged(20)
        for shade in (120, 220):
            self.run_script("document.getElementById('viewer-said').textContent = ''")
            self.find("#replacement").send_keys(str(files[shade]))
            self.until(lambda: self.text("#viewer-said") == "Replaced")
            assert_enlarged(shade)
        # The browser still has the old image under its old address.
        self.driver.refresh()
        self.settle()
        self.until(lambda: self.find("#viewer").is_displayed())
        assert_enlarged(220)
        self.find("#viewer-delete").click()
        give_key_if_asked = lambda: self.find("#key-prompt").is_displayed() and give_key(self)
        self.find("#confirm .danger").click()
        self.until(lambda: give_key_if_asked() or id not in [tile["id"] for tile in self.tiles()])

    def test_on_a_phone(self):
        self.dress(width=390, height=844, touch=True)
        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        self.choose(scenes(1, start=80)[0])
        self.until(lambda: self.find("#key-prompt").is_displayed())
        self.photograph("phone-key")
        give_key(self)
        self.assertEqual(self.over(), ["done"])
        overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        self.assertEqual(self.run_script(overflow), 0)
        self.photograph("phone-uploads")

    def test_in_chinese(self):
        self.dress(language="zh-CN", scheme="dark")
        self.open(server=self.own)
        self.until(lambda: self.find("#add-images").is_displayed())
        self.choose(scenes(1, start=90)[0])
        self.until(lambda: self.find("#key-prompt").is_displayed())
        self.assertEqual(self.text("#key-title"), "更改此图库需要密钥")
        give_key(self)
        self.assertEqual(self.over(), ["done"])
        self.assertEqual(self.text("#uploads-title"), "已添加 1 张图片")
        self.photograph("chinese-uploads")
        # The panel is written anew in another language.
        self.find("#language").click()
        self.assertEqual(self.text("#uploads-title"), "1 image added")
