"""The followed folder of a soak test: files appear, change, are renamed and disappear."""

import os
import random
import threading
import time

from model import Facts
from scenes import stamped

OWNER = "folder"


class Folder(threading.Thread):
    """Changes the folder while clients run. The first files stay as they are."""

    def __init__(self, run, folder, scenes, rate):
        super().__init__(name="folder", daemon=True)
        self.soak, self.folder, self.scenes = run, folder, scenes
        self.random = random.Random(f"{run.options.seed}/folder")
        self.pause, self.turn = 1 / rate, 0
        self.files = {}

    def fill(self, count):
        (self.folder / "kept").mkdir(parents=True)
        (self.folder / "changing").mkdir()
        for scene in range(count):
            path = self.folder / "kept" / f"{scene:03}.jpg"
            self.write(path, Facts(scene, self.scenes[scene]), "kept")
        self.scenes = self.scenes[count:]
        for _ in range(len(self.scenes) // 2):
            self.add()

    def run(self):
        while self.soak.gate.enter():
            try:
                self.change()
            except Exception as error:
                self.soak.fault(f"the folder cannot be changed: {error!r}")
            finally:
                self.soak.gate.leave()
            self.soak.stopping.wait(self.pause * self.random.uniform(0.5, 1.5))

    def change(self):
        wanted = len(self.scenes) // 2
        steps = [self.rewrite, self.rename, self.remove if len(self.files) > wanted else self.add]
        if self.files:
            self.random.choice(steps)()
        else:
            self.add()

    def write(self, path, facts, owner=OWNER):
        # A file appears at once, as when a program saves it with care.
        waiting = self.folder.parent / "waiting"
        waiting.write_bytes(facts.data)
        self.soak.model.begin_change(str(path), facts, time.monotonic(), owner)
        os.replace(waiting, path)

    def facts(self):
        self.turn += 1
        scene = self.random.randrange(len(self.scenes))
        return Facts(scene, stamped(self.scenes[scene], f"f{self.turn}"))

    def add(self):
        facts = self.facts()
        path = self.folder / "changing" / f"{self.turn:06}.jpg"
        self.write(path, facts)
        self.files[path] = facts

    def rewrite(self):
        path, facts = self.random.choice(list(self.files)), self.facts()
        self.write(path, facts)
        self.files[path] = facts

    def rename(self):
        path = self.random.choice(list(self.files))
        facts = self.files.pop(path)
        self.turn += 1
        target = self.folder / "changing" / f"{self.turn:06}.jpg"
        now = time.monotonic()
        self.soak.model.begin_change(str(path), None, now)
        self.soak.model.begin_change(str(target), facts, now, OWNER)
        os.rename(path, target)
        self.files[target] = facts

    def remove(self):
        path = self.random.choice(list(self.files))
        del self.files[path]
        self.soak.model.begin_change(str(path), None, time.monotonic())
        path.unlink()

    def is_complete(self, shown):
        """Whether a list of entries has exactly the files of the folder."""
        sums = {each["path"]: each["sha256"] for each in shown}
        changing = str(self.folder / "changing") + os.sep
        here = {path for path in sums if path.startswith(changing)}
        return here == set(map(str, self.files)) and all(
            sums[str(path)] == facts.sha256 for path, facts in self.files.items())
