"""What the index must hold, as its clients know it.

Clients and service run at the same time, so an entry has several possible states while a change is
under way. A change is possible from the moment at which it was sent, and it is certain from the
moment at which it was acknowledged. Changes of the followed folder and changes that a kill
interrupted are never acknowledged. They stay possible until `settle` sees what became of them.
"""

import hashlib
import math
import threading
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Facts:
    """An image and its metadata; equal images of different changes have different bytes."""

    scene: int
    data: bytes = field(repr=False)
    token: str | None = None
    group: str | None = None

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()

    @property
    def metadata(self):
        known = {"soak": self.token, "group": self.group, "name": self.token}
        return {name: value for name, value in known.items() if value}

    @property
    def stripped(self):
        """The same image without metadata: what remains if a deletion was interrupted."""
        return replace(self, token=None, group=None)

    def fits(self, shown):
        """Whether an entry or a result that the service showed has these facts."""
        return (shown["metadata"] == self.metadata and shown["size"] == len(self.data)
                and shown.get("sha256", self.sha256) == self.sha256)


@dataclass
class Version:
    """A state of an entry; None if it does not exist."""

    facts: Facts | None
    begin: float = -math.inf
    end: float = math.inf


class Entry:
    def __init__(self, path, owner, versions, name=None):
        self.path, self.owner, self.versions, self.id = path, owner, versions, name

    def possible(self, start, end):
        """The states that a request may see which was sent at `start` and answered at `end`."""
        found = []
        for version in reversed(self.versions):
            if version.begin <= end:
                found.append(version.facts)
            if version.end < start:
                break
        return found

    @property
    def last(self):
        return self.versions[-1].facts


class Model:
    """The entries by path. All methods may be called from any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.entries = {}
        self.adding = {}

    # Changes.

    def begin_add(self, owner, facts, now):
        with self.lock:
            self.adding[facts.token] = (owner, facts, now)

    def end_add(self, token, path, name, now):
        with self.lock:
            owner, facts, begin = self.adding.pop(token)
            self.entries[path] = Entry(
                path, owner, [Version(None, end=-math.inf), Version(facts, begin, now)], name)

    def cancel_add(self, token):
        with self.lock:
            del self.adding[token]

    def begin_change(self, path, facts, now, owner=None):
        """Notes a change that was sent; `facts` is None for a deletion."""
        with self.lock:
            entry = self.entries.setdefault(
                path, Entry(path, owner, [Version(None, end=-math.inf)]))
            version = Version(facts, now)
            entry.versions.append(version)
            return version

    # What is known.

    def owned(self, owner):
        with self.lock:
            return [each for each in self.entries.values() if each.owner == owner and each.last]

    def known(self):
        """The entries of which the id is known."""
        with self.lock:
            return [each for each in self.entries.values() if each.id and each.last]

    def possible(self, path, start, end):
        with self.lock:
            return self.entries[path].possible(start, end)

    def fault(self, shown, start, end):
        """Says what is wrong with an entry that an answer shows; None if nothing is."""
        with self.lock:
            entry = self.entries.get(shown["path"])
            if entry is None:
                _, facts, begin = self.adding.get(shown["metadata"].get("soak"), (0, None, math.inf))
                if begin <= end and facts.fits(shown):
                    return None
                return f"{shown['path']} was never added"
            if entry.id not in (None, shown["id"]):
                return f"{shown['path']} has the id {shown['id']}, not {entry.id}"
            possible = entry.possible(start, end)
            if any(facts and facts.fits(shown) for facts in possible):
                return None
            if possible == [None]:
                return f"{shown['path']} was deleted"
            return f"{shown['path']} has other facts than it was given: {shown['metadata']}"

    def bounds(self, start, end, admits=lambda facts: True):
        """Returns the paths that an answer must have, and the most entries that it may have."""
        with self.lock:
            must, most = set(), 0
            for entry in self.entries.values():
                possible = [bool(facts) and admits(facts) for facts in entry.possible(start, end)]
                if all(possible):
                    must.add(entry.path)
                most += any(possible)
            most += sum(begin <= end and admits(facts) for _, facts, begin in self.adding.values())
            return must, most

    # Rest.

    def difference(self, shown, now):
        """Compares a complete list of entries with what is possible while nobody writes.

        Returns what is wrong, by path.
        """
        faults = {}
        with self.lock:
            pending = list(self.adding.values())
            for each in shown:
                entry = self.entries.get(each["path"])
                if entry is not None:
                    if not any(facts and facts.fits(each) for facts in entry.possible(now, now)):
                        faults[each["path"]] = f"has unexpected facts: {each['metadata']}"
                elif not any(facts.fits(each) or facts.stripped.fits(each)
                             for _, facts, _ in pending):
                    faults[each["path"]] = "was never added"
            seen = {each["path"] for each in shown}
            if len(seen) < len(shown):
                faults["list"] = f"{len(shown) - len(seen)} entries are listed twice"
            for path, entry in self.entries.items():
                if path not in seen and None not in entry.possible(now, now):
                    faults[path] = "is missing"
        return faults

    def settle(self, shown, now):
        """Takes a complete list of entries, which `difference` found right, for the truth."""
        with self.lock:
            entries = {}
            for each in shown:
                path = each["path"]
                entry = self.entries.get(path)
                if entry is None:
                    owner, facts = next(
                        (owner, each_facts) for owner, facts, _ in self.adding.values()
                        for each_facts in (facts, facts.stripped) if each_facts.fits(each))
                else:
                    owner = entry.owner
                    facts = next(
                        facts for facts in entry.possible(now, now) if facts and facts.fits(each))
                entries[path] = Entry(path, owner, [Version(facts, end=-math.inf)], each["id"])
            self.entries, self.adding = entries, {}
