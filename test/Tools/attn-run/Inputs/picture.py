"""picture.py STEM: STEM.svg and STEM.png are well-formed and show the squares of STEM.txt."""

import re
import struct
import sys
import xml.etree.ElementTree as xml
import zlib

LEVELS = ".12345678#"


def shade(level):
    """Red, green, blue of a level, from white over pale to full blue, then darker."""
    if level in (0, 9):
        return [(255, 255, 255), (16, 41, 74)][level // 9]
    return tuple(pale + (full - pale) * (level - 1) // 7 if full > pale else pale - (pale - full) * (level - 1) // 7
                 for pale, full in ((214, 64), (228, 120), (240, 176)))


def read_png(path):
    """Pixels as colours, and the text chunks; everything that the format promises is checked."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        crc, = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        assert crc == zlib.crc32(kind + body), kind
        chunks.append((kind, body))
        at += 12 + length
    assert at == len(data) and [chunks[0][0], chunks[-1]] == [b"IHDR", (b"IEND", b"")]
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert rest == [8, 3, 0, 0, 0]
    palette = dict(chunks)[b"PLTE"]
    raw = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    assert len(raw) == height * (width + 1) and not any(raw[::width + 1])
    pixels = [[tuple(palette[3 * p:3 * p + 3]) for p in raw[y * (width + 1) + 1:(y + 1) * (width + 1)]] for y in range(height)]
    return pixels, dict(body.split(b"\0", 1) for kind, body in chunks if kind == b"tEXt")


def read_svg(path):
    """Colours by square, the title and the description."""
    root, ns = xml.parse(path).getroot(), "{http://www.w3.org/2000/svg}"
    assert root.tag == ns + "svg" and root.get("role") == "img"
    squares = {}
    for element in root.iter(ns + "path"):
        if element.get("fill") == "none" or element.get("fill") is None:
            continue
        color = tuple(bytes.fromhex(element.get("fill")[1:]))
        rects = re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-(\d+)z", element.get("d"))
        assert "".join("M{} {}h{}v{}h-{}z".format(*r) for r in rects) == element.get("d")
        for x, y, wide, high, back in (map(int, r) for r in rects):
            assert wide == back
            for square in ((r, c) for r in range(y, y + high) for c in range(x, x + wide)):
                assert square not in squares, square
                squares[square] = color
    texts = [e.text for e in root.iter(ns + "text")]
    return squares, root.find(ns + "title").text, root.find(ns + "desc").text, texts


def main(stem):
    first, legend, *rows, count = open(stem + ".txt").read().splitlines()
    title = first.removesuffix(" across")
    squares, svg_title, description, texts = read_svg(stem + ".svg")
    assert svg_title == title and count in description and count in texts, (title, texts)
    expected = {(r, c): shade(LEVELS.index(x)) for r, row in enumerate(rows) for c, x in enumerate(row) if x != "."}
    assert squares == expected
    pixels, notes = read_png(stem + ".png")
    assert notes[b"Title"].decode() == title and notes[b"Description"].decode() == description
    side = max(3, min(12, 384 // max(len(rows), len(rows[0]))))
    for r, row in enumerate(rows):
        for c, x in enumerate(row):
            got = {pixels[1 + r * side + y][1 + c * side + z] for y in range(1, side) for z in range(1, side)}
            assert got == {shade(LEVELS.index(x))}, (r, c, x, got)


main(sys.argv[1])
