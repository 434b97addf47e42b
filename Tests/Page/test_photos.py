"""Everyday questions, asked of photos by the model that answers where nobody names one."""

import json
import shutil
import unittest

from harness import PICTURES, ROOT, PageTest, Server

FLICKR = ROOT.parent / "shared/data/flickr8k"
PHOTOS = 300


@unittest.skipUnless(FLICKR.exists(), "needs the photos of Flickr8k, which are not part of the project")
class PhotoTests(PageTest):
    def test_everyday_questions(self):
        folder, index = PICTURES / "photos", PICTURES / "photos.index"
        for old in (folder, index):
            shutil.rmtree(old, ignore_errors=True)
        folder.mkdir()
        captions = {}
        for item in json.loads((FLICKR / "en_test.json").read_text("utf-8"))[:PHOTOS]:
            source = FLICKR / item["image"]
            shutil.copy(source, folder)
            captions[source.name] = " ".join(item["caption"]).lower()
        with Server("--photos", str(folder), "--index", str(index), model=None) as server:
            self.until(lambda: server.get("/api/images?limit=1")["total"] == PHOTOS)
            # The same question twice: what English calls a dog in the snow, Chinese does, too.
            for name, query in (("photos", "a dog running in the snow"), ("photos-chinese", "在雪地里奔跑的狗")):
                self.open(server=server, q=query)
                self.assertTrue(self.text("#knows").startswith("photos: "), self.text("#knows"))
                self.assertFalse(self.find("#doubt").is_displayed())
                first = [captions[tile["name"]] for tile in self.tiles()[:5]]
                right = [text for text in first if "dog" in text and "snow" in text]
                self.assertGreaterEqual(len(right), 2, first)
                self.photograph(name)
            self.open(server=server, q="quarterly tax forms")
            self.assertTrue(self.find("#doubt").is_displayed())
            self.photograph("photos-doubt")
            self.leave()
