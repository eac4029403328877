"""Sockets to serve on."""

import socket


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 takes a free one. OSError for an address that is taken."""
    # asyncio lets small packets go at once only where the socket names its protocol: 40 ms an answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(socket.SOMAXCONN)
    except OSError:
        listening.close()
        raise
    return listening


def address_of(host: str, listening: socket.socket) -> str:
    """The address at which it is reached."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}/"
