"""A small gallery that clients may write to, with the key that they need."""

import shutil
import subprocess

from harness import ALBEF, PICTURES, ROOT, Server

KEY = "a-key-for-the-writers"
SCENES = PICTURES / "scenes/images"


def scenes(count, start=0):
    """Files of drawn scenes."""
    return sorted(SCENES.glob("0*.jpg"))[start:start + count]


def folder_of(name, count):
    """A new folder with scenes."""
    folder = PICTURES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for scene in scenes(count):
        shutil.copy(scene, folder)
    return folder


def writable(name, count=8, follows=False):
    """A server of a folder's index, with a key; the folder is followed, or was indexed once."""
    folder = folder_of(name, count)
    index, uploads, key = (PICTURES / f"{name}.{kind}" for kind in ("index", "uploads", "key"))
    for place in (index, uploads):
        shutil.rmtree(place, ignore_errors=True)
    key.write_text(KEY + "\n")
    subprocess.run([ALBEF, "index", "add", str(folder), "--model", "wardrobe", "--index", str(index)], cwd=ROOT,
                   check=True, capture_output=True)
    followed = ("--photos", str(folder)) if follows else ()
    server = Server("--index", str(index), *followed, "--key-file", str(key), "--uploads", str(uploads))
    server.folder, server.uploads = folder, uploads
    return server


def give_key(test, key=KEY):
    """Gives the page the key that it asks for."""
    test.until(lambda: test.find("#key-prompt").is_displayed())
    field = test.find("#writing-key")
    field.clear()
    field.send_keys(key + "\n")
