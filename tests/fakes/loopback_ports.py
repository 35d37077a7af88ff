# SPDX-License-Identifier: Apache-2.0
"""Ports for servers that cannot be told to choose one themselves."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

FIRST, LAST = 20_000, 32_000


def free_port() -> int:
    """Of TCP on loopback. Below those that the kernel gives to whoever asks for any (ip_local_port_range): until the server has it, it is
    nobody's. From a random one on, as other tests ask, too. To be asked for just before the server is started.
    """
    begin = random.randrange(FIRST, LAST)
    for port in (*range(begin, LAST), *range(FIRST, begin)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")
