"""Messages over a TCP connection: a kind of one byte, a length, and as many bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

HEAD = struct.Struct("!cQ")
# How the kernel finds a machine that has gone without a word: after 10 s of silence, 4 questions, one every 5 s.
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPALIVE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}


class Wire:
    """A connection to another process."""

    def __init__(self, connection: socket.socket):
        self._connection, self._turn = connection, threading.Lock()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in SILENCE.items():
            with contextlib.suppress(AttributeError, OSError):  # not on every system
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def within(self, seconds: float | None) -> None:
        """From now on, raises `OSError` if the other side takes longer to answer; None: it has all the time."""
        self._connection.settimeout(seconds)

    def send(self, kind: bytes, data: bytes = b"") -> None:
        """Raises `OSError`."""
        with self._turn:
            self._connection.sendall(HEAD.pack(kind, len(data)))
            self._connection.sendall(data)

    def receive(self, most: int = 2**48) -> tuple[bytes, bytes]:
        """The next message. Raises `OSError` if the connection has ended, or if it is longer than `most`."""
        kind, size = HEAD.unpack(self._read(HEAD.size))
        if size > most:
            raise OSError("a message that is too long")
        return kind, bytes(self._read(size))

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            count = self._connection.recv_into(view)
            if not count:
                raise ConnectionResetError("the connection was closed")
            view = view[count:]
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the other side may have closed it
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()
