"""Faults other than those of single steps: each function is one, and its first line says what must hold."""

import errno
import json
import os
import shutil

from cases import ADD, TRAIN
from program import Failure, check_error
from states import Files, Index

NOBODY = 65534
SEARCH = ["search", "two dogs", "--index", "index", "--top", 100, "--json"]


class Skipped(Exception):
    """Why a check is not possible here."""


def as_root():
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        raise Skipped("only root can mount and change the user")


def mounted(command):
    """What runs albef in a namespace in which a command has mounted something."""
    as_root()
    return ["unshare", "-m", "sh", "-c", f'{command} && exec "$@"', "sh"]


def defects_while_reading(program):
    """A file that cannot be read is an error that names it; no answer is wrong."""
    program.make(*ADD, "index")
    wanted = json.loads(program.make(*SEARCH))["results"]
    steps = program.steps(*SEARCH, kind="reads")
    for number in range(1, len(steps) + 1):
        program.log.unlink()
        done = program.run(*SEARCH, kind="reads", action=errno.EIO, step=number, log=program.log)
        # Threads take the steps in any order, so that this run alone says which one failed.
        place = program.logged()[number - 1]
        if done.returncode == 0:
            if json.loads(done.stdout)["results"] != wanted:
                raise Failure(f"step {number} ({' '.join(place)}): other results without an error")
        else:
            check_error(done, os.path.basename(place[2].rstrip("/")))
    return f"{len(steps)} reads of a search"


def defective_image(program):
    """An image that cannot be read is skipped and named, and indexed at the next attempt."""
    done = program.run(*ADD, "index", kind="reads", action=errno.EIO, name="photos/004.bmp", step=1)
    if "004.bmp" not in done.stderr:
        raise Failure(f"does not name the image: {done.returncode} {done.stderr[-600:]}")
    program.make(*ADD, "index")
    if len(json.loads(program.make(*SEARCH))["results"]) != 12:
        raise Failure("the image is missing after the next attempt")


def full_disk(program):
    """On a disk that is really full, an index stays as it was."""
    index = Index("index")
    (program.folder / "disk").mkdir()
    before = mounted("mount -t tmpfs -o size=8k tmpfs disk")
    check_error(program.run(*ADD, "disk/index", before=before), "disk/index", "No space left on device")
    program.make(*ADD, "index")
    state = index(program)
    shutil.copy(program.folder / "images" / "015.bmp", program.folder / "photos")
    fill = "mount -t tmpfs -o size=64k tmpfs disk && cp -r index disk && "
    fill += "{ head -c 1000000 /dev/zero >disk/filler 2>/dev/null; true; }"
    # After the command, the index is copied out of the memory of its namespace.
    keep = '"$@"; status=$?; rm disk/filler; cp -r disk/index kept; exit $status'
    before = mounted(fill)
    before[4] = f"{fill}; {keep}"
    check_error(program.run(*ADD, "disk/index", before=before), "disk/index", "No space left on device")
    if Index("kept")(program) != state or program.temporary():
        raise Failure(f"the index has changed; temporary: {program.temporary()}")


def read_only_index(program):
    """A read-only index is searched as before; a change says that it is read-only."""
    program.make(*ADD, "index")
    wanted = program.make(*SEARCH)
    before = mounted("mount --bind index index && mount -o remount,bind,ro index")
    if program.run(*SEARCH, before=before).stdout != wanted:
        raise Failure("searches otherwise")
    (program.folder / "photos" / "003.bmp").unlink()
    for arguments in ([*ADD, "index"], ["index", "compact", "index"], ["index", "graph", "index"]):
        check_error(program.run(*arguments, before=before), "index", "Read-only file system")
    check_error(
        program.run(*TRAIN, "trained", before=mounted("mount --bind trained trained && mount -o remount,bind,ro trained")),
        "trained", "Read-only file system")


def files_of_another_user(program):
    """Without the permission, every command says so and names the file."""
    as_root()
    before = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if program.run("--version", before=before).returncode:
        raise Skipped("another user cannot start the program")
    program.make(*ADD, "index")
    wanted = program.make(*SEARCH)
    (program.folder / "photos" / "003.bmp").unlink()
    if program.run(*SEARCH, before=before).stdout != wanted:
        raise Failure("another user cannot search an index that everybody may read")
    for arguments, name in (
            ([*ADD, "index"], "index"), ([*TRAIN, "trained"], "trained"), ([*ADD, "new"], "new"),
            (["features", "photos", "--model", "model", "--output", "f.npz"], "f.npz")):
        check_error(program.run(*arguments, before=before), name, "Permission denied")
    segment = next((program.folder / "index" / "segments").iterdir())
    segment.chmod(0o600)
    check_error(program.run(*SEARCH, before=before), segment.name, "Permission denied")


def jumping_clock(program):
    """A clock that jumps by a year at every second reading changes no result."""
    for years in (-1, 1):
        clock = {"clock": years * 365 * 86400}
        for name in ("index", "run"):
            shutil.rmtree(program.folder / name, ignore_errors=True)
        program.make(*ADD, "index", **clock)
        again = program.run(*ADD, "index", **clock)
        if "12 unchanged" not in again.stdout + again.stderr:
            raise Failure(f"encodes images again: {again.stdout} {again.stderr}")
        program.make(*TRAIN, "run", **clock)
        if Files("run/last")(program) != {"run/last": Files("trained/last")(program)["trained/last"]}:
            raise Failure("trains other weights")
        for line in (program.folder / "run" / "metrics.jsonl").read_text().splitlines():
            record = json.loads(line)
            if any(value < 0 for name, value in record.items() if "second" in name and isinstance(value, (int, float))):
                raise Failure(f"negative times: {line}")


def two_writers(program):
    """While one program writes, another waits its turn or says why not; both results are whole."""
    program.make(*ADD, "index")
    shutil.copy(program.folder / "images" / "015.bmp", program.folder / "photos")
    steps = program.steps(*ADD, "spare")
    number = next(n for n, step in enumerate(steps, 1) if step[1] == "write" and "safetensors" in step[2])
    shutil.rmtree(program.folder / "spare")
    pack = ["models", "pack", "model", "--output", "packed"]
    features = ["features", "photos", "--model", "model", "--threads", 1, "--output", "f.safetensors"]
    cases = [
        ([*ADD, "fresh"], number, ["index", "compact", "fresh"], Index("fresh")),
        (pack, 3, None, Files("packed")), (features, 4, None, Files("f.safetensors"))]
    for arguments, step, other, state in cases:
        first = program.start(*arguments, step=step)
        try:
            second = program.run(*(other or arguments))
            if other:
                check_error(second, "another process is writing to this index")
            elif second.returncode:
                raise Failure(f"{arguments[0]}: the second failed: {second.stderr[-600:]}")
        finally:
            status, errors = program.resume(first)
        if status:
            raise Failure(f"{arguments[0]}: the first ended with status {status}: {errors[-600:]}")
        found = state(program)
        program.make(*arguments)
        if found is None or state(program) != found or program.temporary():
            raise Failure(f"{arguments[0]}: the result is not whole; temporary: {program.temporary()}")


def oversized_batch(program):
    """A batch that gets no memory is an error that names the batch and `albef plan`."""
    settings = program.folder / "settings.yaml"
    large = settings.read_text().replace("image_size: 32", "image_size: 4096").replace("batch_size: 4", "batch_size: 12")
    settings.write_text(large.replace("queue: 10", "queue: 12"))
    before = ["sh", "-c", 'ulimit -v 3000000 && exec "$@"', "sh"]
    done = program.run(*TRAIN, "run", before=before)
    check_error(done, "training.batch_size", "albef plan")


def missing_gpu(program):
    """A device that is not there is an error that names one which is."""
    if shutil.which("nvidia-smi"):
        raise Skipped("this machine may have a GPU")
    program.make(*ADD, "index")
    for arguments in ([*SEARCH, "--device", "cuda"], [*ADD, "index", "--device", "cuda:3"],
                      [*TRAIN, "run", "--set", "training.device=cuda"]):
        check_error(program.run(*arguments), "is not available", "use the device cpu")


def shortened_file(program):
    """A mapped file that another program shortens ends a search by an error that names it, as does the next search."""
    program.make(*ADD, "index")
    segment = next((program.folder / "index" / "segments").iterdir())
    steps = program.steps(*SEARCH, kind="reads", name=segment.name)
    if steps[-1][1] != "map":
        raise Failure(f"reads the segment otherwise: {steps}")
    process = program.start(*SEARCH, kind="reads", name=segment.name, step=len(steps))
    os.truncate(segment, 0)
    status, errors = program.resume(process)
    if status != 1 or segment.name not in errors or "shortened" not in errors:
        raise Failure(f"ended with status {status}: {errors[-600:]}")
    check_error(program.run(*SEARCH), segment.name, "albef index repair")


CHECKS = [defects_while_reading, defective_image, full_disk, read_only_index, files_of_another_user, jumping_clock,
          two_writers, oversized_batch, missing_gpu, shortened_file]


def run_all(program, base, say, only=""):
    """Runs every check, and returns the number of those that failed."""
    failures = 0
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        if only not in name:
            continue
        program.reset(base)
        try:
            found = check(program)
            say(f"{name}: passed" + (f" ({found})" if found else ""))
        except Skipped as reason:
            say(f"{name}: skipped: {reason}")
        except Failure as failure:
            failures += 1
            say(f"FAILED: {name}: {failure}")
    return failures
