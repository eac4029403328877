"""Small made-up photos for the demo's evidence."""

import zlib


def picture(name: str, number: int) -> bytes:
    """A small PNG of one colour, to stand for a photo."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = (1).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    colour = zlib.crc32(f"{name}/{number}".encode()).to_bytes(4, "big")[:3]
    pixel = zlib.compress(b"\0" + colour)
    text = b"Comment\0" + f"{name}/{number}".encode()
    parts = chunk(b"IHDR", header) + chunk(b"tEXt", text) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
