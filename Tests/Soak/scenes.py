"""The images of a soak test: drawn scenes, each of which can be made different again and again."""

import subprocess


def draw(options, out, count, say):
    """Draws scenes in a folder of their own; returns the bytes of each."""
    say(f"drawing {count} scenes")
    subprocess.run(
        [options.program, "wardrobe", "generate", "--count", str(count), "--seed",
         str(options.seed), "--output", out / "scenes"], check=True, stdout=subprocess.DEVNULL)
    return [file.read_bytes() for file in sorted((out / "scenes/images").iterdir())]


def stamped(scene, token):
    """The bytes of a scene, made different from all others; decoders ignore what follows a JPEG."""
    return scene + token.encode()
