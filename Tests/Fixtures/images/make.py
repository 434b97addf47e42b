#!/usr/bin/env python3
"""Makes the pictures of this folder, with Pillow 13 and numpy.

All of them show the same thing, 32 x 16 pixels: quarters of red, green, blue and white, or of the
greys that those are. What is transparent is black below.
"""
import struct
import sys
import zlib
from pathlib import Path

import numpy
from PIL import Image, ImageCms

FOLDER = Path(__file__).parent
COLOURS = [[(200, 30, 30), (30, 160, 30)], [(30, 30, 220), (255, 255, 255)]]
# What brings a picture into the state that EXIF's orientation undoes.
STORED = {
    1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM,
    5: Image.TRANSPOSE, 6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}


def quarters():
    return Image.fromarray(
        numpy.array(COLOURS, numpy.uint8).repeat(8, axis=0).repeat(16, axis=1))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(
        ">I", zlib.crc32(name + data))


def png(width, height, depth, colour, rows, *extra):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def save(name, image, **options):
    image.save(FOLDER / name, **options)


def write(name, data):
    (FOLDER / name).write_bytes(data)


def swapped_profile():
    """sRGB's profile with red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(struct.unpack_from(">I", profile, 128)[0]):
        name = profile[132 + 12 * i:136 + 12 * i]
        if name in (b"rXYZ", b"gXYZ"):
            profile[132 + 12 * i:136 + 12 * i] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
    return bytes(profile)


def orientations(image):
    for number, turn in STORED.items():
        exif = Image.Exif()
        exif[0x0112] = number
        stored = image.transpose(turn) if turn is not None else image
        save(f"orientation-{number}.jpg", stored, quality=90, subsampling=0, exif=exif)
    turned = image.transpose(Image.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("orientation-6.png", turned, exif=exif)
    save("orientation-6.webp", turned, lossless=True, exif=exif)
    save("orientation-6.tif", turned, exif=exif)
    save("orientation-6.avif", turned, quality=95, subsampling="4:4:4", exif=exif)
    xmp = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description '
           b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>')
    save("orientation-xmp.jpg", turned, quality=90, subsampling=0, xmp=xmp)
    exif = Image.Exif()  # saving the upright way takes the orientation out of the one above
    exif[0x0112] = 6
    rows = b"".join(b"\0" + row.tobytes() for row in numpy.asarray(turned))
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp
    write("orientation-xmp.png", png(16, 32, 8, 2, rows, chunk(b"iTXt", text)))
    block = exif.tobytes()
    text = b"Raw profile type exif\0\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"
    write("orientation-hex.png", png(16, 32, 8, 2, rows, chunk(b"tEXt", text)))


def kinds(image):
    alpha = image.convert("RGBA")
    alpha.paste((0, 0, 0, 0), (16, 8, 32, 16))
    grey = image.convert("L")
    jpeg = {"quality": 90, "subsampling": 0}
    save("rgb.jpg", image, **jpeg)
    save("progressive.jpg", image, progressive=True, **jpeg)
    save("subsampled.jpg", image, quality=90)
    save("grey.jpg", grey, **jpeg)
    save("cmyk.jpg", image.convert("CMYK"), quality=95)
    save("profile.jpg", image, icc_profile=swapped_profile(), **jpeg)
    save("profile.png", image, icc_profile=swapped_profile())
    save("srgb-profile.jpg", image,
         icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), **jpeg)
    save("rgb.png", image)
    save("grey.png", grey)
    save("palette.png", image.quantize(8))
    save("rgba.png", alpha)
    save("grey-alpha.png", alpha.convert("LA"))
    palette = image.quantize(8)
    save("palette-transparent.png", palette, transparency=palette.getpixel((30, 14)))
    wide = numpy.asarray(image).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    write("rgb16.png", png(32, 16, 16, 2, rows))
    deep = numpy.asarray(alpha).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    write("rgba16.png", png(32, 16, 16, 6, rows))
    save("grey16.png", Image.fromarray(numpy.asarray(grey).astype(numpy.uint16) * 257))
    save("grey16.tif", Image.fromarray(numpy.asarray(grey).astype(numpy.uint16) * 257))
    save("rgb.webp", image, lossless=True)
    save("rgba.webp", alpha, lossless=True)
    save("rgb.gif", image)
    save("animated.gif", image, save_all=True,
         append_images=[Image.new("RGB", image.size, "black")])
    save("rgb.tif", image)
    save("lzw.tif", image, compression="tiff_lzw")
    save("cmyk.tif", image.convert("CMYK"))
    save("lab.tif", ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"))
    save("rgb.bmp", image)
    save("palette.bmp", palette)
    save("grey.bmp", grey)
    save("padded.bmp", image.convert("RGBA"))  # 32 bits, of which Pillow declares no alpha
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 32, -16, 1, 32, 3, 0, 0, 0, 0, 0) + masks
    blue_first = numpy.asarray(alpha)[..., [2, 1, 0, 3]].tobytes()
    write("rgba.bmp", b"BM" + struct.pack("<IHHI", 122 + len(blue_first), 0, 0, 122)
          + header.ljust(108, b"\0") + blue_first)
    save("rgb.ppm", image)
    save("grey.pgm", grey)
    write("grey.pfm", b"Pf\n32 16\n-1.0\n" + numpy.asarray(grey)[::-1].astype("<f4").tobytes())
    save("rgb.jp2", image, irreversible=False)
    save("rgb.avif", image, quality=95, subsampling="4:4:4")


def bombs():
    write("bomb.png", png(50000, 50000, 8, 2, b"\0"))
    write("bomb.bmp", b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack(
        "<IiiHHIIiiII", 40, 3000000, 2000000, 1, 24, 0, 0, 0, 0, 0, 0))
    write("bomb.gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
          + bytes(6) + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
          + b"\2\2\x44\1\0;")
    tags = [(256, 4, 1, 60000), (257, 4, 1, 60000), (258, 3, 1, 8), (259, 3, 1, 1),
            (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 60000), (279, 4, 1, 1)]
    write("bomb.tif", b"II*\0" + struct.pack("<IH", 8, len(tags))
          + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))
    jpeg = bytearray((FOLDER / "rgb.jpg").read_bytes())
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5:frame + 9] = struct.pack(">HH", 65500, 65500)
    write("bomb.jpg", bytes(jpeg))


def golden(path):
    """Resizing and normalising by Pillow and torchvision, out of their safetensors file."""
    from safetensors.numpy import load_file
    tensors = load_file(path)
    for case in ("37x53to48", "150x101to64"):
        parts = [tensors[f"img_{case}/{name}"].tobytes()
                 for name in ("in_u8_hwc", "resized_u8_hwc", "out_chw")]
        write(f"golden-{case}.bin", b"".join(parts))


if __name__ == "__main__":
    orientations(quarters())
    kinds(quarters())
    bombs()
    if len(sys.argv) > 1:
        golden(sys.argv[1])
