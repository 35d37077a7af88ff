# SPDX-License-Identifier: Apache-2.0
"""A connection to a device that may be slow, endless or hostile: with one deadline for all of it, and a limit to what is read."""

from __future__ import annotations

import io
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hilcop.credentials.answers import Dial, Unintelligible, left

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_READ = 256 << 10  # bytes of one connection: more than any log-in says


class Wire:
    """Raises TimeoutError at `end`, however slowly bytes come; ConnectionError; Unintelligible where there are too many of them."""

    def __init__(self, dial: Dial, end: float, *, tls: bool = False) -> None:
        self.end = end
        self._read = 0
        self.socket = dial(end)
        if tls:
            self.secure(dial.address)

    def secure(self, address: str) -> None:
        """TLS from now on. Whose certificate it is does not matter: a device signs its own, and this network has nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("ALL:@SECLEVEL=0")  # an old device is to be asked, not to be judged by its ciphers here
        self.socket.settimeout(left(self.end))
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=address)
        except ssl.SSLError as error:
            self.socket.close()
            raise Unintelligible(f"no TLS: {error.reason or error}") from error
        except BaseException:
            self.socket.close()
            raise

    def receive(self, most: int = 4096) -> bytes:
        """What has come, at least one byte; nothing: the device has closed it."""
        self.socket.settimeout(left(self.end))
        try:
            data = self.socket.recv(min(most, 65536))
        except ssl.SSLEOFError:
            return b""
        except ssl.SSLError as error:
            raise Unintelligible(f"TLS: {error.reason or error}") from error
        self._read += len(data)
        if self._read > MOST_READ:
            raise Unintelligible(f"says more than {MOST_READ} bytes")
        return data

    def send(self, data: bytes) -> None:
        self.socket.settimeout(left(self.end))
        try:
            self.socket.sendall(data)
        except ssl.SSLError as error:
            raise Unintelligible(f"TLS: {error.reason or error}") from error

    def close(self) -> None:
        self.socket.close()

    def makefile(self, *_: Any) -> io.BufferedReader:
        """For libraries that read from a socket by that."""
        return io.BufferedReader(_Raw(self))


class _Raw(io.RawIOBase):
    """Whoever closes it leaves the connection open."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._wire.receive(len(view))
        view[: len(data)] = data
        return len(data)


@contextmanager
def opened(dial: Dial, end: float, *, tls: bool = False) -> Iterator[Wire]:
    wire = Wire(dial, end, tls=tls)
    try:
        yield wire
    finally:
        wire.close()


def soon(end: float, seconds: float) -> float:
    """So many seconds from now, or `end` if that is before."""
    return min(end, time.monotonic() + seconds)
