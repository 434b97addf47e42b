"""Writes shards in each form of tar that Python's tarfile writes.

    python3 make.py

GNU tar writes two more, with sparse files. The others have the same four samples. One has a name of 200 characters, which only the forms pax and GNU
can hold, so the shard in the form ustar has a shorter one.
"""

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

here = Path(__file__).parent
long = "/".join(["folder-" + "x" * 40] * 4) + "/long"
long += "y" * (196 - len(long)) + ".jpg"
assert len(long) == 200


def content(name: str) -> bytes:
    """Bytes whose number and values depend on the name."""
    return bytes((7 * i + len(name)) % 251 for i in range(300 + 137 * (len(name) % 7)))


def write(form: int, path: Path) -> None:
    def add(archive: tarfile.TarFile, name: str, data: bytes, kind: bytes = tarfile.REGTYPE) -> None:
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mtime = 1_700_000_000.25 if form == tarfile.PAX_FORMAT else 1_700_000_000
        info.uname, info.gname, info.mode = "user", "group", 0o644
        if kind == tarfile.SYMTYPE:
            info.linkname = "first.jpg"
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data) if data else None)

    with tarfile.open(path, "w", format=form) as archive:
        add(archive, "__meta__/about.json", b"{}")
        add(archive, "a", b"", tarfile.DIRTYPE)
        add(archive, "a/first.jpg", content("a/first.jpg"))
        add(archive, "a/first.txt", b"a first caption\n")
        add(archive, "a/link.jpg", b"", tarfile.SYMTYPE)
        add(archive, "second.PNG", content("second.PNG"))
        record = {"caption": ["one", " ", "two"], "image_id": 7, "width": 10}
        add(archive, "second.json", json.dumps(record).encode())
        add(archive, "second.cls", b"3")
        name = long if form != tarfile.USTAR_FORMAT else "folder/" * 20 + "long.jpg"
        add(archive, name, content("long"))
        add(archive, name[:-3] + "txt", "a long näme".encode())
        add(archive, "README", b"belongs to no sample")
        add(archive, "empty.jpg", b"")
        add(archive, "empty.txt", b"")


write(tarfile.USTAR_FORMAT, here / "ustar.tar")
write(tarfile.PAX_FORMAT, here / "pax.tar")
write(tarfile.GNU_FORMAT, here / "gnu.tar")

with tempfile.TemporaryDirectory() as folder:
    with (Path(folder) / "sparse.jpg").open("wb") as file:
        file.seek(700_000)
        file.write(b"x")
        file.truncate(1 << 20)
    (Path(folder) / "sparse.txt").write_text("cap")
    for form in ["gnu", "pax"]:
        subprocess.run(
            ["tar", "--sparse", f"--format={form}", "-C", folder, "-cf"]
            + [str(here / f"sparse-{form}.tar"), "sparse.jpg", "sparse.txt"],
            check=True,
        )
