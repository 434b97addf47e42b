"""Writes images whose EXIF and XMP the tests read. Needs Pillow 11 and pillow-heif.

    python Tests/Fixtures/facts/make.py
"""

from pathlib import Path

from PIL import Image
from pillow_heif import register_heif_opener

FOLDER = Path(__file__).parent
NIKON = {0x010F: "NIKON CORPORATION", 0x0110: "NIKON D90"}
APPLE = {0x010F: "Apple", 0x0110: "iPhone 12"}
BERLIN = {1: "N", 2: (52.0, 30.0, 36.0), 3: "E", 4: (13.0, 24.0, 0.0)}
QUITO = {1: "S", 2: (0.0, 12.0, 0.0), 3: "W", 4: (78.0, 30.0, 0.0)}


def block(main, details=None, place=None, orientation=None):
    exif = Image.Exif()
    exif.update(main)
    if orientation:
        exif[0x0112] = orientation
    exif.get_ifd(0x8769).update(details or {})
    exif.get_ifd(0x8825).update(place or {})
    return exif.tobytes()


def write(name, exif=None, xmp=None, size=(12, 8)):
    options = {"exif": exif} if exif else {}
    if xmp:
        options["xmp"] = xmp.encode()
    Image.new("RGB", size, (120, 90, 60)).save(FOLDER / name, **options)


write("camera.jpg", block(
    NIKON, {0x9003: "2020:06:14 12:34:56", 0xA434: "18.0-55.0 mm f/3.5-5.6"}, BERLIN, 6))
write("phone.png", block(APPLE, {0x9004: "2019:01:02 03:04:05"}, QUITO))
write("phone.webp", block(APPLE, {0x9003: "2019:01:02 03:04:05"}))
write("camera.tif", block(NIKON, {0x9003: "2021:12:31 23:59:59"}))
write("absurd.jpg", block(
    {0x010F: "  ", 0x0110: "----", 0x0132: "2020:06:14 12:34:56"},
    {0x9003: "0000:00:00 00:00:00", 0x9004: "2020:13:45 00:00:00", 0xA434: "\x01\x02"},
    {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, 77))
write("packet.jpg", xmp="""<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF>
<rdf:Description tiff:Make="Canon" tiff:Model='Canon EOS 5D' exif:GPSLatitude="52,30.6N"
 exif:GPSLongitude="13,24,0W" aux:Lens="EF24-70mm f/2.8L &amp; hood">
<exif:DateTimeOriginal>2018-03-04T05:06:07.89+02:00</exif:DateTimeOriginal></rdf:Description>
</rdf:RDF></x:xmpmeta><?xpacket end='w'?>""")
register_heif_opener()
write("phone.heic", block(APPLE, {0x9003: "2019:01:02 03:04:05"}, QUITO), size=(64, 48))
write("plain.bmp", size=(7, 7))
