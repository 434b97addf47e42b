"""The clients of a soak test: each sends one request after another, and checks every answer."""

import hashlib
import http.client
import json
import random
import threading
import time
import urllib.parse

from answers import decreasing, same_scores, search_faults
from model import Facts
from scenes import stamped
from service_under_load import KEY, form
from serving import text

GROUPS = 5
# How often a client does what, as shares of the sum.
MIX = {"search": 14, "rerank": 14, "filter": 10, "by id": 6, "by image": 6, "score": 8,
       "explain": 4, "list": 6, "page": 6, "entry": 6, "file": 4, "thumbnail": 4, "add": 14, "replace": 8,
       "delete": 10}
# Pairs of which the score is remembered, to ask for it again.
PAIRS = 200


class Lost(Exception):
    """A request whose service was killed; it may or may not have taken effect."""


class Client(threading.Thread):
    """Owns the images that it sends, so no two clients change the same one.

    `run` is the soak test: its `service`, `model`, `record`, `fault`, `gate` and `wait_lost`.
    """

    def __init__(self, run, number, scenes, rate):
        super().__init__(name=f"client {number}", daemon=True)
        self.soak, self.number, self.scenes = run, number, scenes
        self.random = random.Random(f"{run.options.seed}/{number}")
        self.pause, self.turn, self.pairs = 1 / rate, 0, {}

    def run(self):
        due = time.monotonic()
        while self.soak.gate.enter():
            try:
                name = self.random.choices(list(MIX), MIX.values())[0]
                getattr(self, "do_" + name.replace(" ", "_"))(name)
            except Lost:
                pass
            except Exception as error:  # An answer without an expected field, for example.
                self.soak.fault(f"{self.name}, {name}: {error!r}")
            finally:
                self.soak.gate.leave()
            due = max(due + self.pause * self.random.uniform(0.5, 1.5), time.monotonic() - 1)
            self.soak.stopping.wait(max(0, due - time.monotonic()))

    # Requests.

    def ask(self, name, method, path, body=None, kind=None, expected=(200,)):
        """Sends a request; returns the answer's status, JSON or bytes, and both times."""
        headers = {"authorization": f"Bearer {KEY}"}
        if kind:
            headers["content-type"] = kind
        start = time.monotonic()
        try:
            status, answer = self.soak.service.request(method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.soak.wait_lost(f"{method} {path}: {error!r}", start)
            raise Lost from error
        end = time.monotonic()
        self.soak.record(name, end - start)
        if status not in expected:
            self.soak.fault(f"{method} {path} was answered with {status}: {answer[:300]!r}")
        if status not in (200, 201):
            return status, None, start, end
        is_file = path.endswith(("/original", "/thumbnail"))
        return status, answer if is_file else json.loads(answer), start, end

    def document(self, name, path, request, **more):
        return self.ask(
            name, "POST", path, json.dumps(request).encode(), "application/json", **more)

    def check(self, name, faults):
        for each in faults:
            self.soak.fault(f"{name}: {each}")

    def statuses(self, path, start, end):
        """The statuses with which the service may answer about an entry."""
        possible = self.soak.model.possible(path, start, end)
        return {404 if facts is None else 200 for facts in possible}

    def any_entry(self):
        return self.random.choice(self.soak.model.known())

    def own(self):
        owned = self.soak.model.owned(self.number)
        return self.random.choice(sorted(owned, key=lambda each: each.path)) if owned else None

    # Searches.

    def do_search(self, name, **more):
        request = {"text": text(self.random.randrange(300)), "candidates": 0,
                   "count": self.random.choice([1, 10, 60]), **more}
        if self.random.random() < 0.3:
            request["offset"] = self.random.choice([5, 50, 150])
        _, answer, start, end = self.document(name, "/api/search", request)
        if answer:
            self.check(f"{name} {request}",
                       search_faults(self.soak.model, request, answer, start, end))

    def do_rerank(self, name, **more):
        ranking = self.random.choice(["itm", "itm+itc", "probability", "posterior"])
        self.do_search(
            name, candidates=self.random.choice([8, 16, 32]), ranking=ranking, **more)

    def do_filter(self, name):
        condition = self.random.choice(
            [f"group=g{self.random.randrange(GROUPS)}", f"size>={self.random.randrange(3000, 8000)}"])
        search = self.random.choice([self.do_search, self.do_rerank])
        search(name, filters=[condition])

    def do_by_id(self, name):
        entry = self.any_entry()
        request = {"image": entry.id, "count": 5}
        status, answer, start, end = self.document(
            name, "/api/search", request, expected=(200, 404))
        self.finds(name, entry.path, request, status, answer, start, end)

    def do_by_image(self, name):
        entry = self.any_entry()
        facts, request = entry.last, {"count": 5}
        if facts is None:
            return
        body, kind = form(facts.data, request)
        status, answer, start, end = self.ask(name, "POST", "/api/search", body, kind)
        if self.soak.model.possible(entry.path, start, end) == [facts]:
            self.finds(name, entry.path, request, status, answer, start, end)

    def finds(self, name, path, request, status, answer, start, end):
        """Checks that the search for an image found the entry that has it."""
        allowed = self.statuses(path, start, end)
        if status not in allowed:
            self.soak.fault(f"{name}: {path} was answered with {status}, not {allowed}")
        if answer is None:
            return
        faults = search_faults(self.soak.model, request, answer, start, end)
        if not decreasing([result["similarity"] for result in answer["results"]], 1e-4):
            faults.append("the results are not in the order of similarity")
        # While an image is replaced, the file and the entry may be of two versions.
        if len(self.soak.model.possible(path, start, end)) == 1:
            found = [each for each in answer["results"] if each["path"] == path]
            if not found or found[0]["similarity"] < 0.999:
                faults.append(f"{path} is not found by its own image: {found}")
        self.check(name, faults)

    # Pairs.

    def pair(self):
        """Returns an own image and a text, half of the time a pair of which the score is known."""
        owned = {each.last.token: each for each in self.soak.model.owned(self.number)}
        known = [pair for pair in self.pairs if pair[0] in owned]
        if known and self.random.random() < 0.5:
            token, sentence = self.random.choice(known)
            return owned[token], sentence
        entry = self.own()
        return entry, text(self.random.randrange(300))

    def agree(self, name, entry, sentence, score):
        """Compares a score with the one that the service gave for the same pair before."""
        scores = score["similarity"], score["match_logit"]
        known = self.pairs.setdefault((entry.last.token, sentence), scores)
        if not same_scores(scores, known):
            self.soak.fault(f"{name}: {entry.path} with '{sentence}' scores {scores}, before {known}")
        if len(self.pairs) > PAIRS:
            del self.pairs[next(iter(self.pairs))]

    def do_score(self, name):
        entry, sentence = self.pair()
        if entry is None or entry.last.token is None:
            return
        _, answer, _, _ = self.document(
            name, "/api/score", {"image": entry.id, "texts": [sentence]})
        if answer:
            self.agree(name, entry, sentence, answer["scores"][0])
        request = {"text": sentence, "filters": [f"soak={entry.last.token}"], "count": 5,
                   "candidates": 5}
        _, answer, start, end = self.document(name, "/api/search", request)
        if answer:
            self.check(name, search_faults(self.soak.model, request, answer, start, end))
            for result in answer["results"]:
                self.agree("a search", entry, sentence, result)

    def do_explain(self, name):
        entry, sentence = self.pair()
        if entry is None:
            return
        _, answer, _, _ = self.document(
            name, "/api/explain", {"image": entry.id, "text": sentence})
        if answer:
            self.agree(name, entry, sentence, answer)
            sizes = {len(answer["map"]) == answer["height"]} | {
                len(row) == answer["width"] for row in answer["map"]}
            if sizes != {True}:
                self.soak.fault(f"{name}: the map is not {answer['width']} × {answer['height']}")

    # Entries.

    def do_list(self, name):
        group = self.random.choice([None, f"g{self.random.randrange(GROUPS)}"])
        condition = f"&where={urllib.parse.quote(f'group={group}')}" if group else ""
        _, answer, start, end = self.ask(name, "GET", f"/api/images?limit=1000{condition}")
        if answer is None:
            return
        must, most = self.soak.model.bounds(
            start, end, lambda facts: group is None or facts.group == group)
        shown = [each["path"] for each in answer["images"]]
        faults = [self.soak.model.fault(each, start, end) for each in answer["images"]]
        faults += [f"{path} is missing" for path in must - set(shown)]
        if not len(must) <= len(shown) <= most or len(shown) != answer["total"]:
            faults.append(f"{len(shown)} of {answer['total']}, not {len(must)} to {most}")
        if len(set(shown)) < len(shown):
            faults.append("an entry is listed twice")
        self.check(name, filter(None, faults))

    def do_page(self, name):
        offset, order = self.random.randrange(0, 300, 20), self.random.choice(["path", "date"])
        _, answer, start, end = self.ask(
            name, "GET", f"/api/images?limit=20&offset={offset}&sort={order}")
        if answer is None:
            return
        must, most = self.soak.model.bounds(start, end)
        faults = [self.soak.model.fault(each, start, end) for each in answer["images"]]
        if not len(must) <= answer["total"] <= most:
            faults.append(f"total is {answer['total']}, not {len(must)} to {most}")
        if len(answer["images"]) != max(0, min(20, answer["total"] - offset)):
            faults.append(f"{len(answer['images'])} at {offset} of {answer['total']}")
        self.check(name, filter(None, faults))

    def do_entry(self, name):
        entry = self.any_entry()
        status, answer, start, end = self.ask(
            name, "GET", f"/api/images/{entry.id}", expected=(200, 404))
        allowed = self.statuses(entry.path, start, end)
        fault = answer and self.soak.model.fault(answer, start, end)
        if status not in allowed:
            fault = f"{entry.path} was answered with {status}, not {allowed}"
        self.check(name, [fault] if fault else [])

    def do_file(self, name):
        entry = self.any_entry()
        status, answer, start, end = self.ask(
            name, "GET", f"/api/images/{entry.id}/original", expected=(200, 404))
        possible = self.soak.model.possible(entry.path, start, end)
        sums = {facts.sha256 for facts in possible if facts}
        if status == 404 and None not in possible:
            self.soak.fault(f"{name}: {entry.path} was answered with 404")
        if answer is not None and hashlib.sha256(answer).hexdigest() not in sums:
            self.soak.fault(f"{name}: {entry.path} has other bytes than were sent")

    def do_thumbnail(self, name):
        entry = self.any_entry()
        status, answer, start, end = self.ask(
            name, "GET", f"/api/images/{entry.id}/thumbnail", expected=(200, 404))
        possible = self.soak.model.possible(entry.path, start, end)
        if status == 404 and None not in possible:
            self.soak.fault(f"{name}: {entry.path} was answered with 404")
        if answer is not None and not answer.startswith(b"\xff\xd8"):
            self.soak.fault(f"{name}: {entry.path} is no JPEG")

    # Changes.

    def make(self):
        """Draws an image for a change: a scene that no entry has, or None if all are in use."""
        used = {each.last.scene for each in self.soak.model.owned(self.number)}
        free = [number for number in range(len(self.scenes)) if number not in used]
        if not free:
            return None
        self.turn += 1
        token, scene = f"c{self.number}n{self.turn}", self.random.choice(free)
        return Facts(scene, stamped(self.scenes[scene], token), token,
                     f"g{self.random.randrange(GROUPS)}")

    def send(self, name, method, path, facts, expected):
        body, kind = form(facts.data, {"metadata": facts.metadata})
        return self.ask(name, method, path, body, kind, expected=(expected,))

    def do_add(self, name):
        facts = self.make()
        # As many additions as deletions keep the size of the gallery, so that memory compares.
        if facts is None or len(self.soak.model.owned(self.number)) >= len(self.scenes) // 2:
            return self.do_delete("delete")
        self.soak.model.begin_add(self.number, facts, time.monotonic())
        status, answer, _, end = self.send(name, "POST", "/api/images", facts, 201)
        if status == 201:
            self.soak.model.end_add(facts.token, answer["path"], answer["id"], end)
            self.shows(name, facts, answer)
        else:
            self.soak.model.cancel_add(facts.token)

    def do_replace(self, name):
        entry, facts = self.own(), self.make()
        if entry is None or facts is None:
            return
        version = self.soak.model.begin_change(entry.path, facts, time.monotonic())
        status, answer, _, end = self.send(name, "PUT", f"/api/images/{entry.id}", facts, 200)
        if status == 200:
            version.end = end
            self.shows(name, facts, answer)

    def shows(self, name, facts, answer):
        if not facts.fits(answer):
            self.soak.fault(f"{name}: the answer has other facts than were sent: {answer}")

    def do_delete(self, name):
        entry = self.own()
        if entry is None or len(self.soak.model.owned(self.number)) < len(self.scenes) // 4:
            return
        last = entry.last
        version = self.soak.model.begin_change(entry.path, None, time.monotonic())
        try:
            status, _, _, end = self.ask(
                name, "DELETE", f"/api/images/{entry.id}", expected=(204,))
        except Lost:
            # The entry was removed and its file was not, so the service finds an image.
            self.soak.model.begin_change(entry.path, last.stripped, time.monotonic())
            raise
        if status == 204:
            version.end = end
