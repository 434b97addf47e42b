"""Makes items for `albef evaluate choice`, `pairs` and `grounding` from drawn scenes.

    albef wardrobe generate --count 400 --seed 77 --output scenes
    python3 Benchmarks/wardrobe_items.py scenes [SIDE]     (128 pixels, as they are drawn by default)

Writes choice.jsonl, pairs.jsonl, grounding.jsonl and boxes.json into the folder of scenes. A choice item is one of three kinds.
An `outfit` is a scene with an outfit in two colours that somebody wears, against the same outfit
with the colours exchanged, which nobody wears. `neighbours` are two people, against the same people
with their tops exchanged. A `thing` is the small thing in its colour, against the same in another.
A pair is two scenes, one of an outfit and the other of its mirror. A grounding item is a person among
several whose outfit nobody else wears (split `outfit`), or the small thing in its colour (`thing`);
the proposals are the boxes of all people and things of the scene.
"""

import json
import pathlib
import sys

COLOURS = ["black", "white", "red", "yellow", "blue", "green", "purple", "orange"]
THINGS = ["ball", "cup", "duck", "car"]


def text(outfit):
    return f"{outfit[0]} top and {outfit[1]} trousers"


def outfits(scene):
    """The outfits of a top and trousers, in order."""
    return [
        (person["top"], person["bottom"]["colour"]) for person in scene["people"]
        if person["bottom"]["kind"] == "trousers"]


def sides(tops, people):
    """A text about two people, with their own tops or each other's."""
    bottoms = [person["bottom"] for person in people]
    return " ".join(
        f"{top} top and {bottom['colour']} {bottom['kind']} on the {side}"
        for top, bottom, side in zip(tops, bottoms, ["left,", "right"]))


def choices(image, scene):
    worn = outfits(scene)
    for outfit in worn:
        mirror = outfit[::-1]
        if outfit[0] != outfit[1] and mirror not in worn:
            yield {"image": image, "positives": [text(outfit)], "negatives": [text(mirror)],
                   "kind": "outfit"}
            break
    people = scene["people"]
    if len(people) == 2 and people[0]["top"] != people[1]["top"]:
        tops = [person["top"] for person in people]
        if people[0]["bottom"] != people[1]["bottom"]:
            yield {"image": image, "positives": [sides(tops, people)],
                   "negatives": [sides(tops[::-1], people)], "kind": "neighbours"}
    for thing in scene["props"]:
        if thing["kind"] in THINGS and thing.get("colour"):
            colour = thing["colour"]
            other = COLOURS[(COLOURS.index(colour) + 3) % len(COLOURS)]
            yield {"image": image, "positives": [f"{colour} toy {thing['kind']}"],
                   "negatives": [f"{other} toy {thing['kind']}"], "kind": "thing"}


def pairs(scenes):
    """Pairs each scene, at most once, with the first other that shows the mirror of its outfit."""
    waiting = {}
    for image, scene in scenes:
        worn = outfits(scene)
        for outfit in worn:
            mirror = outfit[::-1]
            if outfit[0] == outfit[1] or mirror in worn:
                continue
            if waiting.get(mirror):
                other = waiting[mirror].pop()
                yield {"image_0": other, "image_1": image, "caption_0": text(mirror),
                       "caption_1": text(outfit),
                       "tag": "one person" if len(scene["people"]) == 1 else "several people"}
            else:
                waiting.setdefault(outfit, []).append(image)
            break


def box(left, top, width, height, side):
    """A box in pixels, cut at the image's edges, from shares of the image's side."""
    left, top, right, bottom = (
        min(max(value * side, 0), side) for value in (left, top, left + width, top + height))
    return [round(value, 1) for value in (left, top, right - left, bottom - top)]


def person_box(person, side):
    height = person["height"] * (0.84 if person["posture"] == "sitting" else 1)
    width = 0.44 * person["height"]
    return box(person["x"] - width / 2, person["y"] - height, width, height, side)


def thing_box(thing, side):
    size = thing["size"]
    height = size * (0.26 if thing["kind"] == "keyboard" else 1)
    return box(thing["x"] - size / 2, thing["y"] - height, size, height, side)


def groundings(image, scene, side):
    worn = outfits(scene)
    for person in scene["people"]:
        outfit = (person["top"], person["bottom"]["colour"])
        if len(scene["people"]) > 1 and person["bottom"]["kind"] == "trousers":
            if worn.count(outfit) == 1:
                yield {"image": image, "text": text(outfit), "bbox": person_box(person, side),
                       "split": "outfit"}
    for thing in scene["props"]:
        if thing["kind"] in THINGS and thing.get("colour"):
            yield {"image": image, "text": f"{thing['colour']} toy {thing['kind']}",
                   "bbox": thing_box(thing, side), "split": "thing"}


def proposals(scene, side):
    return ([person_box(person, side) for person in scene["people"]]
            + [thing_box(thing, side) for thing in scene["props"]])


def write(path, items):
    path.write_text("".join(json.dumps(item) + "\n" for item in items))


def main():
    folder = pathlib.Path(sys.argv[1])
    lines = map(json.loads, (folder / "scenes.jsonl").read_text().splitlines())
    scenes = [(line["image"], line["scene"]) for line in lines]
    write(folder / "choice.jsonl", (item for scene in scenes for item in choices(*scene)))
    write(folder / "pairs.jsonl", ({"id": n} | pair for n, pair in enumerate(pairs(scenes))))
    side = int(sys.argv[2]) if len(sys.argv) > 2 else 128
    items = (item for scene in scenes for item in groundings(*scene, side))
    write(folder / "grounding.jsonl", items)
    boxes = {image: proposals(scene, side) for image, scene in scenes}
    (folder / "boxes.json").write_text(json.dumps(boxes))


if __name__ == "__main__":
    main()
