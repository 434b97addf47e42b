"""Unpacks the libraries, headers and licences of libtorch from a wheel, checking each file's SHA-256.

usage: unpack-libtorch.py WHEEL DIRECTORY
"""

import base64
import csv
import hashlib
import io
import os
import sys
import zipfile

UNUSED = ("python", "test", "backend_with_compiler", "custom_ops", "libshm")


def main(wheel: str, directory: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        record = next(name for name in names if name.endswith(".dist-info/RECORD"))
        rows = csv.reader(io.StringIO(archive.read(record).decode()))
        digests = {row[0]: row[1] for row in rows}
        for name in names:
            is_library = name.startswith("torch/lib/") and not any(
                word in os.path.basename(name) for word in UNUSED
            )
            _, is_license, license = name.partition(".dist-info/licenses/")
            if not (is_library or is_license or name.startswith("torch/include/")):
                continue
            inside = f"torch/licenses/{license}" if is_license else name
            target = os.path.join(directory, inside)
            if name.endswith("/"):
                os.makedirs(target, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            digest = hashlib.sha256()
            with archive.open(name) as source, open(target, "wb") as sink:
                while chunk := source.read(1 << 20):
                    digest.update(chunk)
                    sink.write(chunk)
            found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            if digests.get(name) != f"sha256={found}":
                sys.exit(f"{name}: its SHA-256 differs from the one that the wheel records")


if __name__ == "__main__":
    main(*sys.argv[1:])
