# SPDX-License-Identifier: Apache-2.0
"""pyserial's RFC 2217 client for the benchmark of instruments: `peer.py trips|flood PORT COUNT`. Prints one line of JSON."""

from __future__ import annotations

import json
import sys
import time

import serial  # type: ignore[import]


def trips(port: serial.SerialBase, count: int) -> None:
    for number in range(count):
        line = b"command number %08d........\n" % number
        port.write(line)
        if port.read(len(line)) != line:
            sys.exit("the echo is another")


def flood(port: serial.SerialBase, count: int) -> None:
    port.write(b"go\n")
    got = 0
    while got < count:
        got += len(port.read(max(1, min(port.in_waiting, 65536))))


def main() -> None:
    what, number, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with serial.serial_for_url(f"rfc2217://127.0.0.1:{number}", baudrate=115200, timeout=30) as port:
        begin, cpu = time.monotonic(), time.process_time()
        {"trips": trips, "flood": flood}[what](port, count)
        print(json.dumps({"wall_s": time.monotonic() - begin, "cpu_s": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
