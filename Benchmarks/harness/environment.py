"""Makes .venv-bench, the Python environment of the engines."""

import hashlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-bench"
WANTED = ROOT / "Benchmarks/requirements.txt"
ALONE = ROOT / "Benchmarks/requirements-alone.txt"
# Built here from its source, with libjpeg; the second serves where that fails.
IMAGES = ("pillow-simd==12.1.1.post0", "pillow==12.1.1")


class PreparationError(Exception):
    """The environment could not be made."""


def python():
    return FOLDER / "bin/python"


def models():
    """Where exported models are kept between runs."""
    folder = FOLDER / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest():
    parts = [WANTED.read_bytes(), ALONE.read_bytes(), " ".join(IMAGES).encode()]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def is_ready():
    ready = FOLDER / "ready"
    return python().exists() and ready.exists() and ready.read_text() == digest()


def prepare(say):
    """Makes the environment if it is missing or has other packages; returns its Python.

    Fetches from PyPI alone. `say` gets a line for each thing that takes time.
    """
    if is_ready():
        return python()
    if sys.version_info[:2] != (3, 11):
        raise PreparationError(
            f"the engines need Python 3.11, and this is {sys.version.split()[0]}: their pinned "
            "versions have no packages for others. Start Benchmarks/bench with python3.11")
    say("installing PyTorch, LAVIS, ONNX Runtime, OpenVINO and torchvision from PyPI into "
        ".venv-bench, once: about 500 MB, or 3 GB where pip finds no PyTorch without CUDA "
        "(to find it, set PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS)")
    run([sys.executable, "-m", "venv", str(FOLDER)], "cannot make a virtual environment: install "
        "python3-venv")
    pip = [str(python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "-r", str(WANTED)], "pip could not install Benchmarks/requirements.txt")
    run([*pip, "--no-deps", "-r", str(ALONE)],
        "pip could not install Benchmarks/requirements-alone.txt")
    say("building Pillow-SIMD")
    for number, package in enumerate(IMAGES):
        try:
            run([*pip, package], f"pip could not install {package}")
            break
        except PreparationError as error:
            if number + 1 == len(IMAGES):
                raise
            say(f"{str(error).splitlines()[0]}; Pillow takes its place, and the page says so")
    (FOLDER / "ready").write_text(digest())
    return python()


def run(command, failure):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-8:])
        raise PreparationError(f"{failure}\n{tail}")
