"""A line to PostgreSQL that can be cut: at the very moment of a commit, for a while, or both."""

import re
import socket
import threading
from contextlib import suppress

CALL = b"sunlot_append"
PREPARED = re.compile(rb"P....(\w+\0)SELECT sunlot_append", re.DOTALL)
DONE = b"SELECT 1\0"
PIECE = 65536


class Cutter:
    """A proxy before PostgreSQL. `cut`: the next append is cut at its answer. `down`: nobody comes through.

    The server has committed when an append is cut: it is one statement, and "done" follows its commit.
    With `stay_down` everything is down from that moment on, until `mend`.
    """

    def __init__(self, port: int) -> None:
        self.cut = self.stay_down = self.down = False
        self._port = port
        self._lines: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        _shut(self._listener)
        self._listener.close()

    def fail(self) -> None:
        """Cut every line and take no other."""
        self.down = True
        for line in self._lines:
            _shut(line)

    def mend(self) -> None:
        """Let everybody through again."""
        self.down = self.stay_down = False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._port))
            self._lines += client, server
            appending = threading.Event()
            threading.Thread(target=self._ask, args=(client, server, appending), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client, appending), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, appending: threading.Event) -> None:
        name = CALL
        with suppress(OSError):
            while data := client.recv(PIECE):
                if prepared := PREPARED.search(data):
                    name = prepared[1]
                if self.cut and (CALL in data or name in data):
                    appending.set()
                server.sendall(data)
        _shut(server)

    def _answer(self, server: socket.socket, client: socket.socket, appending: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(PIECE):
                if appending.is_set() and DONE in data:
                    self.cut = False
                    if self.stay_down:
                        self.fail()
                    break
                client.sendall(data)
        _shut(client)
        _shut(server)


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
