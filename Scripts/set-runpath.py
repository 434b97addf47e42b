"""Rewrites the library search path (DT_RUNPATH) of an ELF program in place.

The new value must not be longer than the old one.

usage: set-runpath.py FILE RUNPATH
"""

import struct
import sys

DYNSYM, DYNAMIC = 11, 6  # types of sections
END, NEEDED, SONAME, RUNPATH = 0, 1, 14, 29  # tags of dynamic entries


def sections(data: bytearray) -> list[tuple[int, int, int, int]]:
    """Returns (type, offset, size, link) of every section."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (start,) = struct.unpack_from("<Q", data, 0x28)
    width, count = struct.unpack_from("<HH", data, 0x3A)
    found = []
    for index in range(count):
        values = struct.unpack_from("<IIQQQQI", data, start + index * width)
        found.append((values[1], values[4], values[5], values[6]))
    return found


def rewritten(data: bytearray, runpath: bytes) -> None:
    table = sections(data)
    _, offset, size, link = next(row for row in table if row[0] == DYNAMIC)
    strings = table[link][1]
    names = []
    place = None
    for tag, value in struct.iter_unpack("<QQ", data[offset : offset + size]):
        if tag == END:
            break
        if tag == RUNPATH:
            place = value
        elif tag in (NEEDED, SONAME):
            names.append(value)
    if place is None:
        raise ValueError("it has no RUNPATH")
    start = strings + place
    end = data.index(b"\0", start)
    if len(runpath) > end - start:
        raise ValueError(f"its RUNPATH has room for only {end - start} bytes")
    for kind, offset, size, _ in table:
        if kind == DYNSYM:
            names += [row[0] for row in struct.iter_unpack("<I20x", data[offset : offset + size])]
    # A linker may store a name inside a longer one that ends with it.
    if any(place < name <= place + (end - start) for name in names):
        raise ValueError("the name of a symbol is stored inside its RUNPATH")
    data[start:end] = runpath.ljust(end - start, b"\0")


def main(path: str, runpath: str) -> None:
    with open(path, "rb") as file:
        data = bytearray(file.read())
    try:
        rewritten(data, runpath.encode())
    except (ValueError, StopIteration, struct.error) as error:
        sys.exit(f"{path}: {error or 'it has no dynamic section'}")
    with open(path, "r+b") as file:
        file.write(data)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
