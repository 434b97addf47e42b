"""What commands leave on the disk, in a form in which two states can be compared."""

import hashlib
import json
import struct

from program import Failure

QUERY = "two dogs near a red bus"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(path):
    """Every file and link of a folder, temporary ones aside."""
    if not path.exists():
        return None
    if path.is_file():
        return digest(path)
    return {
        str(item.relative_to(path)): str(item.readlink()) if item.is_symlink() else digest(item)
        for item in sorted(path.rglob("*"))
        if (item.is_symlink() or item.is_file()) and not item.name.startswith(".")
    }


class Index:
    """The answers of an index; None without entries. Every file that it names must be whole."""

    answers = {}

    def __init__(self, name):
        self.name = name

    def __call__(self, program):
        folder = program.folder / self.name
        if not (folder / "manifest.json").exists():
            return None
        text = (folder / "manifest.json").read_bytes()
        manifest = json.loads(text)
        files = [(f"{part['name']}.safetensors", part) for part in manifest["segments"]]
        # The name of the key has changed once, so any object with a checksum counts.
        graphs = [value for value in manifest.values() if isinstance(value, dict) and "sha256" in value]
        files += [(f"{graph['name']}.hnsw", graph) for graph in graphs]
        for name, part in files:
            path = folder / "segments" / name
            if not path.exists() or digest(path) != part["sha256"]:
                raise Failure(f"{path} is missing or damaged")
        if sum(part["count"] - len(part["removed"]) for part in manifest["segments"]) == 0:
            return None
        # The manifest has the checksums of all other files, so it decides the answers.
        if text not in self.answers:
            found = json.loads(
                program.make("search", QUERY, "--index", self.name, "--top", 100, "--json"))
            self.answers[text] = [
                (row["path"], row["similarity"], row["match_logit"]) for row in found["results"]]
        removed = sum(len(part["removed"]) for part in manifest["segments"])
        return self.answers[text], bool(graphs), len(manifest["segments"]), removed


class Files:
    """The bytes of files and folders; None if none is there."""

    def __init__(self, *names):
        self.names = names

    def __call__(self, program):
        found = {name: tree(program.folder / name) for name in self.names}
        return found if any(found.values()) else None


class Page:
    """Whether a page is there; its bytes depend on when it was made. It must be whole."""

    def __init__(self, name):
        self.name = name

    def __call__(self, program):
        path = program.folder / self.name
        if not path.exists():
            return None
        if not path.read_text().endswith("</html>\n"):
            raise Failure(f"{path} is cut short")
        return True


class Export:
    """An array with its labels; None without the array."""

    def __init__(self, name):
        self.name = name

    def __call__(self, program):
        array = program.folder / f"{self.name}.safetensors"
        return (digest(array), digest(array.with_suffix(".jsonl"))) if array.exists() else None


class Shards:
    """The shards that an index of shards names, which must be whole."""

    def __init__(self, name):
        self.name = name

    def __call__(self, program):
        folder = program.folder / self.name
        index = folder / "shards.json"
        if not index.exists():
            return None
        found = json.loads(index.read_text())
        entries = found if isinstance(found, list) else found["shardlist"]
        for entry in entries:
            if digest(folder / entry["url"]) != entry["sha256"]:
                raise Failure(f"{folder / entry['url']} is damaged")
        return tree(folder)


class Run:
    """The weights that a finished run ends with; None if it is not finished."""

    names = ("last/model.safetensors", "last/training.safetensors", "last/progress.json", "best/model.safetensors")

    def __init__(self, name, steps):
        self.name, self.steps = name, steps

    def __call__(self, program):
        run = program.folder / self.name
        last = run / "last"
        if not last.is_symlink():
            return None
        for name in ("config.json", "progress.json"):
            json.loads((last / name).read_text())
        for name in ("model.safetensors", "training.safetensors"):
            self.check(last / name)
        for line in (run / "metrics.jsonl").read_bytes().split(b"\n")[:-1]:
            json.loads(line)
        progress = json.loads((last / "progress.json").read_text())
        if progress["step"] < self.steps or progress["isEvaluationDue"]:
            return None
        return [digest(run / name) for name in self.names]

    @staticmethod
    def check(path):
        """Fails unless a file of tensors has the length that its header says."""
        data = path.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
        end = max(value["data_offsets"][1] for name, value in header.items() if name != "__metadata__")
        if len(data) != 8 + length + end:
            raise Failure(f"{path} has {len(data)} bytes, not {8 + length + end}")
