"""The soak test of the service: clients, a changing folder, kills, and checks at rest."""

import hashlib
import json
import os
import subprocess
import threading
import time

from clients import MIX, Client
from folder import Folder
from gate import Gate
from model import Model
from samples import Samples, folder_bytes, sample_interval
from scenes import draw
from service_under_load import Service

# The scenes of the folder that stay, of the folder that change, and of each client.
KEPT, CHANGING, EACH = 60, 40, 60
# The first part of the run has the kills. Memory is compared in the rest, which one process lives.
KILLING = 1 / 3
# What ends a hang, in seconds.
PATIENCE = 120
# A segment is rewritten when fewer than half of its rows live, so the rows take at most twice the
# space of the live ones. While up to 8 segments are joined, they are there beside the new one. The
# reserve for removals on a full disk, and the tables of small segments, come on top.
DISK_FACTOR, DISK_EXTRA = 3, 4 << 20
FAULTS_SHOWN = 50


class ServiceSoak:
    WORK = "requests"

    def __init__(self, options, out, say):
        self.options, self.out, self.say = options, out, say
        self.model, self.gate, self.stopping = Model(), Gate(), threading.Event()
        self.samples = Samples(out / "samples.csv", list(MIX))
        self.lock, self.faults, self.fault_count = threading.Lock(), [], 0
        self.life, self.kills, self.checks = 1, 0, 0
        self.is_down, self.killed_at = False, float("-inf")
        self.bytes_each, self.disk = None, {"most_mb": 0.0, "allowed_mb": 0.0}
        self.service, self.workers, self.seconds = None, [], 0.0

    # What the clients use.

    def record(self, name, seconds):
        self.samples.record(name, seconds)

    def fault(self, text):
        with self.lock:
            self.fault_count += 1
            if len(self.faults) < FAULTS_SHOWN:
                self.faults.append(text)
                self.say(f"wrong: {text}")

    def wait_lost(self, text, start):
        """Accepts a lost request if its service was killed; otherwise it is a fault."""
        if not (self.is_down or self.killed_at >= start or self.stopping.wait(1)):
            self.fault(f"lost a request without a kill: {text}")

    # The run.

    def run(self):
        try:
            self.prepare()
            self.go()
            self.end()
        finally:
            self.gate.end()
            if self.service and self.service.process.poll() is None:
                self.service.process.kill()
                self.service.process.wait()

    def go(self):
        begin = time.monotonic()
        length = 60 * self.options.minutes
        interval, rest = sample_interval(length), min(60.0, length / 6)
        kills = self.kill_times(length)
        now, next_sample, next_check = 0.0, interval, rest
        self.gate.open()
        while not self.stopping.is_set() and now < length:
            due = min([next_sample, next_check, length] + kills[:1])
            self.stopping.wait(max(0.01, due - now))
            now = time.monotonic() - begin
            if self.service.process.poll() is not None and not self.stopping.is_set():
                self.fault(f"the service ended by itself with {self.service.process.poll()}")
                break
            if kills and now >= kills[0]:
                kills.pop(0)
                self.kill()
                now = time.monotonic() - begin
                next_check = now + rest
            elif now >= next_check:
                self.rest()
                next_check = now + rest
            if now >= next_sample:
                self.sample(now)
                next_sample = max(next_sample + interval, now)
            self.seconds = now

    def kill_times(self, length):
        """Every few minutes in the first part of the run, and at its end."""
        step, last = 60 * self.options.kill_every, KILLING * length
        times = [step * turn for turn in range(1, int(last / step) + 1)]
        return [time for time in times if time < last - 30] + [last]

    def prepare(self):
        scenes = draw(
            self.options, self.out, KEPT + CHANGING + EACH * self.options.clients, self.say)
        (self.out / "photos").mkdir()
        # A slow machine fails no test.
        (self.out / "serve.yaml").write_text(
            "limits: {head_seconds: 300, body_seconds: 300, request_seconds: 300}\n")
        self.folder = Folder(
            self, self.out / "photos", scenes[:KEPT + CHANGING], self.options.folder_rate)
        self.folder.fill(KEPT)
        self.service = self.start()
        self.rest()
        state = self.state()
        self.bytes_each = state["bytes"] / max(1, state["images"])
        rate = self.options.rate / self.options.clients
        self.workers = [self.folder] + [
            Client(self, number, scenes[KEPT + CHANGING + EACH * number:][:EACH], rate)
            for number in range(self.options.clients)]
        for worker in self.workers:
            worker.start()

    def start(self):
        return Service(
            self.options, self.out, "--photos", "photos", "--settings", "serve.yaml")

    def state(self):
        return json.loads(self.service.request("GET", "/api/index")[1])

    def sample(self, now):
        state = self.state()
        self.samples.take(
            now, self.life, self.service.process.pid, self.out / "index",
            {"images": state["images"], "segments": state["segments"],
             "removed": state["removed"]})

    # Kills.

    def kill(self):
        """Kills the service while clients write, and checks that it lost nothing."""
        self.is_down, self.killed_at = True, time.monotonic()
        self.service.process.kill()
        self.service.process.wait()
        self.service.log.close()
        self.gate.close()
        # The folder goes on changing while nobody follows it.
        for _ in range(3):
            self.folder.change()
        self.service = self.start()
        self.life += 1
        self.kills += 1
        self.is_down = False
        self.rest()

    # Checks at rest.

    def rest(self):
        """Stops all writers, and compares everything that the service shows with the model."""
        self.gate.close()
        shown = self.shown()
        limit = time.monotonic() + PATIENCE
        while not self.folder.is_complete(shown) or self.state()["indexing"]["is_running"]:
            if self.stopping.is_set():
                break
            if time.monotonic() > limit:
                self.fault(f"the folder is not in step after {PATIENCE} s")
                break
            time.sleep(0.2)
            shown = self.shown()
        shown = self.shown()
        now = time.monotonic()
        faults = self.model.difference(shown, now)
        for path, fault in faults.items():
            self.fault(f"at rest after {self.kills} kills: {path} {fault}")
        self.check_totals(shown)
        self.check_files(shown)
        self.check_disk(len(shown))
        self.checks += 1
        if faults:
            # What follows would repeat these faults.
            self.stopping.set()
            return
        self.model.settle(shown, now)
        if not self.stopping.is_set():
            self.gate.open()

    def shown(self):
        """All entries, page by page."""
        found, total = [], 1
        while len(found) < total:
            page = json.loads(
                self.service.request("GET", f"/api/images?limit=100&offset={len(found)}")[1])
            total = page["total"]
            if not page["images"]:
                break
            found += page["images"]
        return found

    def check_totals(self, shown):
        state = self.state()
        facets = json.loads(self.service.request("GET", "/api/facets")[1])
        totals = {"the index": state["images"], "the list": len(shown),
                  "facets of folders": sum(each["count"] for each in facets["folders"]),
                  "facets of orientations": sum(each["count"] for each in facets["orientations"])}
        if len(set(totals.values())) != 1:
            self.fault(f"totals differ at rest: {totals}")
        if state["skipped"]["count"]:
            self.fault(f"files were skipped: {state['skipped']['files'][:3]}")

    def check_files(self, shown):
        """The folder of uploads has exactly the images that clients sent, as the index has them."""
        uploads = self.out / "index.uploads"
        there = {str(uploads / name) for name in os.listdir(uploads) if not name.startswith(".")}
        sums = {each["path"]: each["sha256"] for each in shown}
        own = {path for path in sums if path.startswith(f"{uploads}{os.sep}")}
        for path in there ^ own:
            self.fault(f"{path} is {'no entry' if path in there else 'no file'}")
        for path in there & own:
            with open(path, "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != sums[path]:
                    self.fault(f"{path} has other bytes than its entry says")

    def check_disk(self, images):
        if self.bytes_each is None:
            return
        allowed = DISK_FACTOR * images * self.bytes_each + DISK_EXTRA
        limit = time.monotonic() + PATIENCE
        # The index is tidied after the last change.
        while (size := folder_bytes(self.out / "index")) > allowed and time.monotonic() < limit:
            time.sleep(0.5)
        if size > allowed:
            self.fault(f"the index takes {size} bytes for {images} images, more than {allowed:.0f}")
        if size > self.disk["most_mb"] * 2**20:
            self.disk = {"most_mb": size / 2**20, "allowed_mb": allowed / 2**20}

    # The end.

    def end(self):
        """Kills the service once more, checks it, ends it, and reads every byte of the index."""
        is_whole = not self.stopping.is_set()
        if is_whole:
            self.kill()
        self.stopping.set()
        self.gate.end()
        for worker in self.workers:
            worker.join(PATIENCE)
        with self.service:
            pass
        status = self.service.process.returncode
        if status and is_whole:
            self.fault(f"the service ended with {status} after SIGTERM")
        verified = subprocess.run(
            [self.options.program, "index", "verify", self.out / "index"], capture_output=True,
            text=True)
        if verified.returncode:
            self.fault(f"the index is damaged: {verified.stdout}{verified.stderr}")
        self.samples.close()

    def stop(self):
        """Ends the run early, for example on Ctrl-C."""
        self.stopping.set()
