"""The processes of a run: they exchange bytes, and none goes on alone when another ends.

Process 0 is in the middle of a star: it collects what all have and sends it to everyone.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from queue import SimpleQueue
from types import MappingProxyType, TracebackType
from typing import Self

from blurc.diagnostics import BlurError, Diagnostic
from blurc.meta.processes.wire import Wire

DATA, END = b"D", b"E"
GRACE = 30  # seconds in which a process notices by itself that another has ended
SIZE = struct.Struct("!Q")


class Processes:
    """The processes that share a run, as one of them sees them. A context: leaving it tells the others why.

    Attributes:
        index: which one this is, from 0. Process 0 writes the run folder.
        count: how many there are.
        devices: how many devices each of them has; None for a process that is alone, whose devices are not asked yet.
    """

    def __init__(
        self,
        index: int = 0,
        count: int = 1,
        devices: tuple[int, ...] | None = None,
        wires: Mapping[int, Wire] = MappingProxyType({}),
    ):
        self.index, self.count, self.devices = index, count, devices
        self._wires = dict(wires)
        self._arrived = SimpleQueue[tuple[int, bytes, bytes]]()
        self._unread = defaultdict[int, deque[bytes]](deque)
        self._left = threading.Event()
        self._lost = ""
        for other, wire in self._wires.items():
            threading.Thread(target=self._listen, args=(other, wire), daemon=True).start()

    def gathered(self, mine: bytes) -> list[bytes]:
        """What every process has given, in their order. All of them must call this.

        Raises:
            BlurError: E925 if another process has ended.
        """
        if self.index:
            self._send(0, mine)
            return _split(self._next(0))
        found = [mine, *(self._next(other) for other in range(1, self.count))]
        everything = _joined(found)
        for other in self._wires:
            self._send(other, everything)
        return found

    def shared(self, data: bytes = b"") -> bytes:
        """What process 0 has given."""
        return self.gathered(data if not self.index else b"")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        for wire in self._wires.values():
            with contextlib.suppress(OSError):
                wire.send(END, (self._lost or reason(self.index, error)).encode())
            wire.close()

    # ------------------------------------------------------------- messages

    def _send(self, other: int, data: bytes) -> None:
        try:
            self._wires[other].send(DATA, data)
        except OSError:
            self._next(other)  # raises with what it said before it ended

    def _next(self, other: int) -> bytes:
        while not self._unread[other]:
            of, kind, data = self._arrived.get()
            if kind == END:
                self._lost = data.decode() or f"process {of} ended before the others"
                raise BlurError(_ended(self._lost))
            self._unread[of].append(data)
        return self._unread[other].popleft()

    def _listen(self, other: int, wire: Wire) -> None:
        """In a thread of its own, so that an end is seen while this process computes."""
        kind, data = DATA, b""
        while kind == DATA:
            try:
                kind, data = wire.receive()
            except OSError:
                kind, data = END, f"process {other} is gone".encode()
            self._arrived.put((other, kind, data))
        if data and not self._left.wait(GRACE):
            print(_ended(data.decode()).render(), file=sys.stderr, flush=True)
            os._exit(1)  # what it computes now would have no end that anybody waits for


def reason(index: int, error: BaseException | None) -> str:
    """Why a process ends, as a sentence for the others; empty if it has done its part."""
    if error is None:
        return ""
    if isinstance(error, KeyboardInterrupt):
        return f"process {index} was interrupted"
    said = error.diagnostics[0].message if isinstance(error, BlurError) else f"{type(error).__name__}: {error}"
    return f"process {index} ended: {said}"


def _ended(sentence: str) -> Diagnostic:
    help = "its own last lines say why; --resume goes on from the last checkpoint, with any number of processes"
    return Diagnostic("E925", f"{sentence}, and the others end with it", help=help)


def _joined(parts: list[bytes]) -> bytes:
    return b"".join(piece for part in parts for piece in (SIZE.pack(len(part)), part))


def _split(data: bytes) -> list[bytes]:
    found, at = list[bytes](), 0
    while at < len(data):
        start = at + SIZE.size
        at = start + SIZE.unpack_from(data, at)[0]
        found.append(data[start:at])
    return found


ALONE = Processes()
