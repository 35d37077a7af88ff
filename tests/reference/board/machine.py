# SPDX-License-Identifier: Apache-2.0
"""The reference device in QEMU, without the harness that it is to judge: console, power, disk and HTTPS."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pins import Pins
from power_loss import PowerLossDisk

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
IMAGE = SOURCE / "build/boards/reference"
SECTOR = 512


def layout() -> dict[str, tuple[int, int]]:
    rows = [line.split() for line in (IMAGE / "layout").read_text().splitlines() if not line.startswith("#")]
    return {name: (int(begin) * SECTOR, int(length) * SECTOR) for name, begin, length in rows}


def make_unit(folder: Path, *words: str) -> dict[str, Any]:
    program = [SOURCE / "boards/reference/make-unit", "--image", IMAGE, "--out", folder, *words]
    subprocess.run(program, check=True, timeout=60, stdout=subprocess.DEVNULL)
    return json.loads((folder / "record.json").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def carry(line: socket.socket, into: int) -> None:
    """QEMU stands still while nobody takes what its console says, which a socket holds 300 characters of, a pipe 65536."""
    try:
        while heard := line.recv(65536):
            os.write(into, heard)
    except OSError:
        pass  # whoever listened has gone
    os.close(into)


class Machine:
    """One unit. Its disk stays between power cycles; `console` is all that was heard since the last on().

    tap: an interface of a network, whose DHCP gives it an address; none: QEMU's own network, which reaches nobody.
    ports: of the device, reachable beside 443 by the port of this host that `ports` then has for each.
    power_loss: off() loses what was not flushed.
    """

    def __init__(self, unit: Path, tap: str = "", *, ports: tuple[int, ...] = (), power_loss: bool = False) -> None:
        self.unit = unit
        self.tap = tap
        self.record = json.loads((unit / "record.json").read_text())
        # The disk is outside the unit's software: whoever starts a unit gives it the one that it was made with.
        lies = "disk-ignores-flush" in self.record["flaws"]
        self.disk = PowerLossDisk(unit / "main.raw", ignores_flush=lies) if power_loss else None
        self.pins = Pins()
        self.errors = unit / "qemu.log"
        self.host = "127.0.0.1"
        self.ports = dict.fromkeys((443, *ports), 0)
        self.console = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.line: socket.socket | None = None
        self.heard = -1
        self.carrier = threading.Thread()
        self.began = 0.0
        self.seen = 0

    def on(self) -> None:
        """Powers it, on ports of this host that nobody else took in the same moment."""
        for _ in range(5):
            self.start()
            if self.begins():
                return
            self.off()
        raise AssertionError(f"the machine does not start:\n{self.errors.read_text()}")

    def begins(self) -> bool:
        """Whether it lives until its first word; what it says of a port in use is no fault of the device."""
        assert select.select([self.heard], [], [], 30)[0], "the machine says nothing"
        if heard := os.read(self.heard, 65536):
            self.console = heard.decode(errors="replace").replace("\r", "")
            return True
        assert "host forwarding" in self.errors.read_text(), self.errors.read_text()
        return False

    def start(self) -> None:
        assert self.process is None
        self.console, self.seen = "", 0
        ours, far = socket.socketpair()
        if self.tap:
            self.ports = {port: port for port in self.ports}
            net = f"tap,id=net,ifname={self.tap},script=no,downscript=no"
        else:
            self.ports = {port: free_port() for port in self.ports}
            net = "user,id=net,restrict=on" + "".join(f",hostfwd=tcp:127.0.0.1:{near}-:{port}" for port, near in self.ports.items())
        main = f"file={self.unit / 'main.raw'}"
        if self.disk:
            self.disk.on()
            main = f"file.driver=nbd,file.server.type=unix,file.server.path={self.disk.data},cache=writeback"
        words = ["qemu-system-aarch64", "-accel", "tcg,tb-size=64", "-M", "virt,acpi=off", "-cpu", "cortex-a53", "-m", "256", "-smp", "1"]
        words += ["-display", "none", "-monitor", "none", "-netdev", net]
        words += ["-device", f"virtio-net-device,netdev=net,mac={self.record['mac']}"]
        words += ["-dtb", str(self.unit / "control.dtb"), "-chardev", f"socket,id=line,fd={far.fileno()}", "-serial", "chardev:line"]
        for image in ("u-boot.img", "env.img"):
            words += ["-drive", f"if=pflash,format=raw,readonly=on,file={IMAGE / image}"]
        for name, where in (("main", main), ("fuses", f"file={self.unit / 'fuses.raw'},readonly=on")):
            words += ["-drive", f"if=none,id={name},format=raw,{where}"]
            words += ["-device", f"virtio-blk-device,drive={name}"]
        words += self.pins.options()
        # No longer than a test: whatever becomes of it, the machine ends.
        with self.errors.open("w") as errors:
            limited = ["timeout", "-s", "KILL", "600", *words]
            self.process = subprocess.Popen(limited, pass_fds=[far.fileno()], start_new_session=True, stderr=errors)
        far.close()
        self.line, self.began = ours, time.monotonic()
        self.heard, into = os.pipe()
        self.carrier = threading.Thread(target=carry, args=(ours, into), daemon=True)
        self.carrier.start()

    def off(self, loss: str = "drop", seed: int = 0) -> None:
        """Cuts its power; what a power_loss disk had not flushed is lost as `loss` says: drop, prefix, subset, torn."""
        if self.disk:
            self.disk.off(loss, seed)  # before the machine: nothing that it does while it ends counts
        if self.process is None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process = None
        self.pins.close()
        assert self.line
        os.close(self.heard)
        self.carrier.join()
        self.line.close()
        self.line = None

    def close(self) -> None:
        self.off()
        self.pins.folder.cleanup()
        if self.disk:
            self.disk.sockets.cleanup()

    def hear(self, seconds: float) -> None:
        if select.select([self.heard], [], [], max(seconds, 0))[0]:
            heard = os.read(self.heard, 65536)
            assert heard, f"the machine ended by itself\n{self.console}"
            self.console += heard.decode(errors="replace").replace("\r", "")

    def expect(self, pattern: str, seconds: float = 60) -> re.Match[str]:
        """Waits for a line of the console that was not yet waited for; one up to its end ("$") has to be whole."""
        end = time.monotonic() + seconds
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.console, self.seen)
            if found and not (pattern.endswith("$") and found.end() == len(self.console)):
                self.seen = found.end()
                return found
            assert time.monotonic() < end, f"'{pattern}' did not come in {seconds} s; the console said\n{self.console}"
            self.hear(end - time.monotonic())

    def ready(self, version: str = r"\S+", slot: str = "[AB]", seconds: float = 60) -> None:
        """Waits until its API answers, in this slot, at an address that can be asked."""
        self.expect(f"^HT-1: READY version {version} slot {slot}$", seconds)
        if self.tap:
            end, place = self.seen, self.console.rindex("HT-1: slot ")  # the address may have come before READY, of this start
            self.seen = place
            self.host = self.expect(r"^HT-1: net (\S+)$", seconds).group(1)
            self.seen = max(self.seen, end)

    def listen(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.hear(end - time.monotonic())

    def type(self, text: str) -> None:
        assert self.line
        self.line.sendall(text.encode())

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """A call of the device's API. Its certificate must be the one of the factory's record."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(self.host, self.ports[443], timeout=30, context=context)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            assert isinstance(connection.sock, ssl.SSLSocket)
            shown = connection.sock.getpeercert(binary_form=True)
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        assert shown
        assert hashlib.sha256(shown).hexdigest() == self.record["tls_sha256"]
        return reply.status, json.loads(text) if text else None

    # The disk, while the power is off.

    def flip(self, part: str, offset: int) -> None:
        assert self.process is None
        with open(self.unit / "main.raw", "r+b") as disk:
            place = layout()[part][0] + offset
            disk.seek(place)
            byte = disk.read(1)[0]
            disk.seek(place)
            disk.write(bytes([byte ^ 1]))

    def bytes_of(self, part: str) -> bytes:
        """What is on the disk; of a machine that runs, what it has written so far."""
        begin, length = layout()[part]
        with open(self.unit / "main.raw", "rb") as disk:
            disk.seek(begin)
            return disk.read(length)

    def edit_factory(self, name: str, edit: Callable[[bytes], bytes]) -> None:
        """Changes a file of the factory partition, as whoever can write the flash."""
        assert self.process is None
        image, file = self.unit / "factory.ext4", self.unit / name
        image.write_bytes(self.bytes_of("factory"))
        for request in (f"dump {name} {file}", f"rm {name}", f"write {file} {name}"):
            if request.startswith("write"):
                file.write_bytes(edit(file.read_bytes()))
            words = ["debugfs", "-w", "-R", request, image]
            subprocess.run(words, check=True, timeout=60, capture_output=True)
        self.put("factory", image.read_bytes())

    def put(self, part: str, content: bytes) -> None:
        assert self.process is None
        begin, length = layout()[part]
        assert len(content) <= length
        with open(self.unit / "main.raw", "r+b") as disk:
            disk.seek(begin)
            disk.write(content.ljust(length, b"\0"))
