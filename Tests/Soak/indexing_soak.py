"""The soak test of indexing: one process follows a folder, all images of which change again and again."""

import json
import os
import signal
import subprocess
import threading
import time

from samples import Samples, folder_bytes, sample_interval
from scenes import draw, stamped
from service_soak import DISK_EXTRA, DISK_FACTOR, PATIENCE

IMAGES = 200


class IndexingSoak:
    """Has the attributes that `summary` reads."""

    WORK = "files"

    def __init__(self, options, out, say):
        self.options, self.out, self.say = options, out, say
        self.samples = Samples(out / "samples.csv", ["round"])
        self.stopping, self.changed = threading.Event(), threading.Condition()
        self.encoded, self.is_ended = 0, False
        self.faults, self.kills, self.checks, self.seconds = [], 0, 0, 0.0
        self.disk = {"most_mb": 0.0, "allowed_mb": 0.0}

    @property
    def fault_count(self):
        return len(self.faults)

    def stop(self):
        self.stopping.set()

    def run(self):
        scenes = draw(self.options, self.out, IMAGES, self.say)
        self.photos = self.out / "photos"
        self.photos.mkdir()
        self.write(scenes, 0)
        with open(self.out / "log", "w") as log:
            self.process = subprocess.Popen(
                [self.options.program, "index", "add", self.photos, "--index", self.out / "index",
                 *self.options.model, "--watch", "--interval", "0.2", "--json"],
                stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        try:
            self.go(scenes)
        finally:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.faults.append("the program does not end on SIGINT")
                self.process.kill()
            reader.join()
        self.verify()
        self.samples.close()

    def write(self, scenes, number):
        for place, scene in enumerate(scenes):
            waiting = self.out / "waiting"
            waiting.write_bytes(stamped(scene, f"r{number}"))
            os.replace(waiting, self.photos / f"{place:05}.jpg")

    def read(self):
        """Adds up what the program reports, one line per update."""
        for line in self.process.stdout:
            report = json.loads(line)
            with self.changed:
                self.encoded += report["encoded"]
                if report["skipped"]:
                    self.faults.append(f"files were skipped: {report['skipped'][:3]}")
                self.changed.notify_all()
        with self.changed:
            self.is_ended = True
            self.changed.notify_all()

    def wait(self, count):
        """Waits until so many files were encoded; returns whether they were."""
        with self.changed:
            self.changed.wait_for(lambda: self.encoded >= count or self.is_ended, PATIENCE)
            if self.encoded < count and not self.stopping.is_set():
                self.faults.append(
                    "the program ended by itself" if self.is_ended else
                    f"{self.encoded} files were encoded after {PATIENCE} s, not {count}")
            return self.encoded >= count

    def go(self, scenes):
        begin, number, last = time.monotonic(), 0, 0.0
        length = 60 * self.options.minutes
        interval = sample_interval(length)
        pause = IMAGES / self.options.rate / 4
        if not self.wait(IMAGES):
            return
        live = folder_bytes(self.out / "index")
        allowed = DISK_FACTOR * live + DISK_EXTRA
        self.disk["allowed_mb"] = allowed / 2**20
        while not self.stopping.is_set() and self.seconds < length:
            number += 1
            start = time.monotonic()
            with self.changed:
                goal = self.encoded + IMAGES
            self.write(scenes, number)
            if not self.wait(goal):
                return
            self.samples.record("round", time.monotonic() - start)
            self.checks += 1
            self.seconds = time.monotonic() - begin
            size = folder_bytes(self.out / "index")
            self.disk["most_mb"] = max(self.disk["most_mb"], size / 2**20)
            if size > allowed:
                self.faults.append(f"the index takes {size} bytes, more than {allowed}")
                return
            if self.seconds - last >= interval:
                last = self.seconds
                self.samples.take(self.seconds, 1, self.process.pid, self.out / "index", {})
            self.stopping.wait(pause)

    def verify(self):
        """Reads every byte of the index, and compares its size with the folder."""
        index = str(self.out / "index")
        verified, stats = (
            subprocess.run([self.options.program, "index", *what], capture_output=True, text=True)
            for what in (["verify", index], ["stats", index, "--json"]))
        if verified.returncode:
            self.faults.append(f"the index is damaged: {verified.stdout}{verified.stderr}")
        if stats.returncode or json.loads(stats.stdout)["photos"] != IMAGES:
            self.faults.append(f"the index does not have {IMAGES} images: {stats.stdout}")
        self.samples.counts = {"files": self.encoded}
