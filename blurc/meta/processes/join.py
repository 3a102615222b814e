"""How the processes of a run find each other: process 0 listens, and the others call it.

As with JAX's own coordinator, nobody who calls is asked for a password, and nothing that is received is run: keep the
port inside the cluster.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any

import jax

from blurc.diagnostics import BlurError, Diagnostic
from blurc.guards import typed
from blurc.meta.processes.detect import FLAGS, Place, detected
from blurc.meta.processes.processes import ALONE, END, Processes, reason
from blurc.meta.processes.wire import Wire
from blurc.storage import why
from blurc.version import __version__

HELLO, WELCOME = b"H", b"W"
LONGEST = 2**16  # bytes of a greeting
AGAIN = 0.2  # seconds until an unanswered call is repeated
ANSWER = 10.0  # seconds that one who has called has for its greeting
SILENT = 5.0  # seconds of waiting before a line says so


@typed
def join(
    coordinator: str | None = None, processes: int | None = None, process: int | None = None, *, patience: float = 300
) -> Processes:
    """Joins the processes that share a run. Call it before anything is computed, as a context:

        with meta.join() as processes:
            meta.run(experiment, "runs/mine", processes=processes)

    Args:
        coordinator: `HOST:PORT` of process 0, where it listens.
        processes: how many there are.
        process: which one this is, from 0.
        patience: how many seconds processes wait for each other.

    What is None is what SLURM, Kubernetes, Open MPI or a TPU pod say.

    Returns:
        The processes, as this one sees them.

    Raises:
        BlurError: E924 if they do not find each other.
    """
    if coordinator is None or processes is None or process is None:
        place = detected(coordinator, processes, process, patience)
    else:
        place = Place(coordinator, processes, process)
    host, port = _address(place)
    if not 0 <= place.index < place.count:
        message = f"there is no process {place.index} among {place.count}"
        raise BlurError(Diagnostic("E924", message, help="processes are counted from 0"))
    if place.count == 1:
        return ALONE
    until = time.monotonic() + patience
    devices = jax.local_device_count()
    if place.index:
        return _called(place, host, port, devices, until)
    return Meeting(place, devices).held(host, port, until)


def _address(place: Place) -> tuple[str, int]:
    host, _, port = place.coordinator.rpartition(":")
    if not host or not (port.isdecimal() and 0 < int(port) < 2**16):
        message = f"`{place.coordinator}` is not the address of process 0"
        raise BlurError(Diagnostic("E924", message, help="write HOST:PORT, such as node1:3456"))
    return host.removeprefix("[").removesuffix("]"), int(port)


@contextlib.contextmanager
def _told(waiting: Callable[[], str]) -> Generator[None]:
    """Says on stderr what this process is waiting for, if that takes long."""
    timer = threading.Timer(SILENT, lambda: print(waiting(), file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# ------------------------------------------------------------- process 0


class Meeting:
    """Process 0 while it waits for the others."""

    def __init__(self, place: Place, devices: int):
        self.place, self.devices = place, {0: devices}
        self.wires: dict[int, Wire] = {}

    def held(self, host: str, port: int, until: float) -> Processes:
        try:
            with self.listening(host, port) as server, _told(self._waiting):
                self._gather(server, until)
        except BaseException as error:
            for wire in self.wires.values():
                with contextlib.suppress(OSError):
                    wire.send(END, reason(0, error).encode())
                wire.close()
            raise
        devices = tuple(self.devices[i] for i in range(self.place.count))
        for wire in self.wires.values():
            with contextlib.suppress(OSError):  # the first exchange says that it is gone
                wire.send(WELCOME, json.dumps(devices).encode())
                wire.within(None)
        return Processes(0, self.place.count, devices, self.wires)

    def listening(self, host: str, port: int) -> socket.socket:
        """On all interfaces, for the name of this machine may lead elsewhere from outside; or on the loopback only."""
        at = host if host in ("localhost", "127.0.0.1", "::1") else ""
        try:
            return socket.create_server((at, port), family=_family(host), backlog=self.place.count)
        except OSError as error:
            message = f"process 0 cannot listen at `{self.place.coordinator}`: {why(error)}"
            raise BlurError(Diagnostic("E924", message, help="choose another port, for all processes")) from None

    def _gather(self, server: socket.socket, until: float) -> None:
        while len(self.devices) < self.place.count:
            server.settimeout(max(until - time.monotonic(), 0.001))
            try:
                connection, _ = server.accept()
            except TimeoutError:
                raise self._incomplete() from None
            self._greet(Wire(connection))

    def _greet(self, wire: Wire) -> None:
        """Who is not of this run is told so, and does not disturb the others."""
        wire.within(ANSWER)
        try:
            kind, data = wire.receive(LONGEST)
            said: Any = json.loads(data) if kind == HELLO else {}
            why, index = self._refusal(said), said.get("process")
        except (OSError, ValueError, AttributeError):  # not blurc at all
            return wire.close()
        if why:
            with contextlib.suppress(OSError):
                wire.send(END, why.encode())
            return wire.close()
        self.wires[index], self.devices[index] = wire, said["devices"]

    def _refusal(self, said: Mapping[str, Any]) -> str:
        index, count = said.get("process"), said.get("processes")
        if said.get("blurc") != __version__:
            return f"process 0 runs blurc {__version__}, and process {index} runs blurc {said.get('blurc')}"
        if count != self.place.count:
            return f"process 0 is one of {self.place.count} processes, and process {index} is one of {count}"
        return f"there is a process {index} already" if index in self.devices else ""

    @property
    def _missing(self) -> list[str]:
        return [str(i) for i in range(self.place.count) if i not in self.devices]

    def _waiting(self) -> str:
        missing = self._missing
        which = f"process{'es' if len(missing) > 1 else ''} {', '.join(missing)}"
        return f"process 0 is waiting for {which} at {self.place.coordinator}"

    def _incomplete(self) -> BlurError:
        missing = self._missing
        message = f"of {self.place.count} processes, these did not come in time: {', '.join(missing)}"
        flags = f"--coordinator {self.place.coordinator} --processes {self.place.count} --process {missing[0]}"
        return BlurError(Diagnostic("E924", message, help=f"start them too: {flags}"))


def _family(host: str) -> socket.AddressFamily:
    """IPv4 where the host has it, as those who call try every address of the host."""
    try:
        families = {found[0] for found in socket.getaddrinfo(host, None)}
    except OSError:  # only the others can resolve it
        return socket.AF_INET
    return socket.AF_INET if socket.AF_INET in families else socket.AF_INET6


# ---------------------------------------------------------- the others


def _called(place: Place, host: str, port: int, devices: int, until: float) -> Processes:
    waiting = f"process {place.index} is waiting for all {place.count} processes at {place.coordinator}"
    with _told(lambda: waiting):
        wire = Wire(_connection(place, host, port, until))
        found = _welcomed(wire, place, devices, until)
    wire.within(None)
    return Processes(place.index, place.count, found, {0: wire})


def _welcomed(wire: Wire, place: Place, devices: int, until: float) -> tuple[int, ...]:
    """How many devices each process has. Raises `BlurError` (E924)."""
    about = {"blurc": __version__, "process": place.index, "processes": place.count, "devices": devices}
    wire.within(max(until - time.monotonic(), 1))
    try:
        wire.send(HELLO, json.dumps(about).encode())
        kind, data = wire.receive(LONGEST)
        if kind == END:
            help = f"start each process once, all with the same {FLAGS.split(' --process ')[0]}"
            raise BlurError(Diagnostic("E924", data.decode(), help=help))
        return tuple(json.loads(data))
    except TimeoutError:
        message = f"nothing at `{place.coordinator}` said in time that all {place.count} processes are there"
        help = "start all of them, and give them the address of process 0"
    except ConnectionError:
        message = f"what listens at `{place.coordinator}` closed the connection"
        help = "start process 0 again if it has ended, or give its address if this is not it"
    except (OSError, ValueError):
        message = f"what listens at `{place.coordinator}` does not answer as process 0 of a run"
        help = "give the address of process 0"
    wire.close()
    raise BlurError(Diagnostic("E924", message, help=help))


def _connection(place: Place, host: str, port: int, until: float) -> socket.socket:
    """Calls until process 0 is there: processes of a cluster start at different times."""
    while True:
        try:
            return socket.create_connection((host, port), timeout=max(until - time.monotonic(), AGAIN))
        except OSError as error:
            if time.monotonic() + AGAIN > until:
                message = f"process {place.index} cannot reach process 0 at `{place.coordinator}`: {why(error)}"
                help = "start process 0 there, and give all of them its address"
                raise BlurError(Diagnostic("E924", message, help=help)) from None
            time.sleep(AGAIN)
