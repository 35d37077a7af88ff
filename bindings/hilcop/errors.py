# SPDX-License-Identifier: Apache-2.0
"""What can go wrong on a bench. Each class also derives from its built-in kin."""

from __future__ import annotations

import builtins


class Error(Exception):
    """The bench misbehaves; never what the device does (that is a check that fails).

    kind, object, cause and remedy say what it is, on which bench object, why, and what to do.
    """

    def __init__(self, kind: str, object: str, cause: str, remedy: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.object = object
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return str(self.args[0])

    def as_json(self) -> dict[str, str]:
        """For the timeline: kind, object, cause, remedy."""
        return {"kind": self.kind, "object": self.object, "cause": self.cause, "remedy": self.remedy}


class ConfigError(Error, ValueError):
    """A file or an argument is wrong."""


class NotFoundError(Error, LookupError):
    """A device, file or program is not there."""


class PermissionDeniedError(Error, PermissionError):
    """This user may not."""


class BusyError(Error):
    """Somebody else holds it; the text names who, and since when."""


class DisconnectedError(Error, ConnectionError):
    """An instrument or a line has gone."""


class TimeoutError(Error, builtins.TimeoutError):
    """It did not come in time; the text shows what was seen instead."""


class ProtocolError(Error):
    """The other side behaves against its protocol; also a fatal watcher ("died: ...")."""


class UnsupportedError(Error, NotImplementedError):
    """This instrument cannot."""


class ExhaustedError(Error, OSError):
    """Disk space, memory or descriptors ran out."""


class ScenarioTimeout(BaseException):
    """A scenario is over its time. Not an Exception: `except Exception` does not stop it."""


_CLASSES: dict[str, type[Error]] = {
    "Config": ConfigError,
    "NotFound": NotFoundError,
    "PermissionDenied": PermissionDeniedError,
    "Busy": BusyError,
    "Disconnected": DisconnectedError,
    "Timeout": TimeoutError,
    "Protocol": ProtocolError,
    "Unsupported": UnsupportedError,
    "Exhausted": ExhaustedError,
}


def make(kind: str, object: str, cause: str, remedy: str, text: str) -> Error:
    """The exception for an error of the C++ half."""
    return _CLASSES.get(kind, Error)(kind, object, cause, remedy, text)
