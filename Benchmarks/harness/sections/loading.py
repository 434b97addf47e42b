"""Images before their encoder: decoding and resizing, and the augmentation of training."""

from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import row_names

NAME, TITLE, SECONDS, WHEN = "loading", "Loading images", 60, "always"
ABOUT = """\
On one thread, in its own processor time, to 256 pixels. *decode* reads a JPEG and resizes it; ours
also normalises it to floats. The other side is Pillow with its reduced decoding (`draft`).
*augment* reads a random part of it in full size, resizes it, mirrors it half of the time, applies two
operations of RandAugment of strength 7 and normalises; the other side is torchvision's transforms
over PIL. Ours decodes that part alone, to the pixels of a full decode, and checks the rest for damage.
The images are made by the run: noise at every scale under soft shapes, which compresses about as
photographs do."""

SIDE = 256
# Name, size, quality.
FILES = {"640x480": (640, 480, 88), "12MP": (4000, 3000, 88)}


def groups(options, folder):
    made = []
    for name in FILES:
        path = f"{folder}/{name}.jpg"
        calls = 30 if name == "640x480" else 8
        for work in ("decode", "augment"):
            request = {"do": work, "path": path, "side": SIDE, "threads": 1,
                       "calls": calls * (3 if work == "augment" and calls > 20 else 1)}
            other = "Pillow" if work == "decode" else "torchvision"
            made.append(Group(
                f"{work} {name}",
                [Side(other, "pillow", request), Side("ours", "measure", request)],
                [Row(f"loading/{work}/{name}", f"{work}, {name}", "ours", [other], threads=1)]))
    return made


def names(options):
    return row_names(groups(options, "folder"))


def run(context):
    for name, (width, height, quality) in FILES.items():
        context.say(f"making {name}.jpg")
        made = context.workers.ask("pillow", {
            "do": "make", "path": f"{context.folder}/{name}.jpg", "width": width,
            "height": height, "quality": quality})
    found = context.groups(groups(context.options, context.folder))
    for row in found.rows:
        if row.get("against") == "Pillow":
            row["against"] = made["pillow"]
    found.notes = [f"The other side of *decode* is {made['pillow']}."]
    for name in FILES:
        found.notes.append(differences(context, name))
    return found


def differences(context, name):
    """A sentence on how far the pixels of both sides differ from Pillow's full decode."""

    def pixels(worker, full):
        answer = context.workers.ask(worker, {
            "do": "pixels", "path": f"{context.folder}/{name}.jpg", "side": SIDE, "full": full})
        return bytes.fromhex(answer["pixels"])

    exact = pixels("pillow", True)

    def from_exact(worker, full):
        other = pixels(worker, full)
        return sum(abs(a - b) for a, b in zip(exact, other, strict=True)) / len(exact)

    return (f"{name}: our pixels differ from Pillow's full decode by "
            f"{from_exact('measure', False):.2f} of 255 on average, and by "
            f"{from_exact('measure', True):.2f} if we decode in full; Pillow's draft by "
            f"{from_exact('pillow', False):.2f}.")
