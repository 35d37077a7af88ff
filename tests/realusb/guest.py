# SPDX-License-Identifier: Apache-2.0
"""A machine with a real kernel and real USB controllers, in QEMU's emulation; it runs programs of this host in place.

What runs in it may ask its host for a monitor command by a line on its output: HOST {"execute": "device_del", ...}.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel import Kernel

# A hub that switches its ports; a serial adapter with a serial number on port 1 and one on port 2; something to switch on port 3.
USB = [
    *("-device", "qemu-xhci,id=xhci", "-device", "usb-hub,id=hub,bus=xhci.0,port=1,port-power=on"),
    *("-device", "usb-serial,chardev=line1,bus=xhci.0,port=1.1,serial=FTDI0001,always-plugged=on"),
    *("-device", "usb-serial,chardev=line2,bus=xhci.0,port=1.2,serial=FTDI0002,always-plugged=on"),
    *("-device", "usb-kbd,id=keyboard,bus=xhci.0,port=1.3,serial=KEYS01"),
]


@dataclass
class Ran:
    status: int | None  # of the script; None: the guest died, or was ended at its limit
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "\n".join(self.lines)


class _Echo(threading.Thread):
    """The other end of a serial line: says what it hears."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)

    def run(self) -> None:
        try:
            peer, _ = self.listener.accept()
            with peer:
                while data := peer.recv(4096):
                    peer.sendall(data)
        except OSError:
            pass  # the guest has gone


class _Monitor:
    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask({"execute": "qmp_capabilities"})

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        self.file.write(json.dumps(command) + "\n")
        self.file.flush()
        while True:
            answer: dict[str, Any] = json.loads(self.file.readline())
            if "return" in answer or "error" in answer:
                return answer


def run(kernel: Kernel, script: Path, folder: Path, limit_s: float) -> Ran:
    """Boots, runs the script (a path of this host) and powers off. Ends by itself at the limit at latest."""
    echoes = [_Echo(folder / f"line{number}") for number in (1, 2)]
    for echo in echoes:
        echo.start()
    command = [
        *("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot"),
        *("-kernel", str(kernel.image), "-initrd", str(kernel.initrd)),
        # no_timer_check: an emulator that waits for its host fails that check and panics (1 of 5 boots at a load of 20).
        *("-append", f"console=ttyS0 quiet panic=-1 mitigations=off no_timer_check HILCOP_RUN={script}"),
        *("-serial", "stdio", "-qmp", f"unix:{folder / 'monitor'},server=on,wait=off"),
        *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
        *(word for number in (1, 2) for word in ("-chardev", f"socket,id=line{number},path={folder / f'line{number}'}")),
        *USB,
    ]
    ran = Ran(None)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
        timer = threading.Timer(limit_s, qemu.kill)
        timer.start()
        try:
            _follow(qemu, folder / "monitor", ran)
        finally:
            timer.cancel()
            qemu.kill()
            for echo in echoes:
                echo.join(5)
                echo.listener.close()
    if ran.status is None:
        ran.lines.append(f"[the guest ended without a result; QEMU's exit status is {qemu.returncode}]")
    return ran


def _follow(qemu: subprocess.Popen[bytes], monitor_path: Path, ran: Ran) -> None:
    assert qemu.stdout
    monitor: _Monitor | None = None
    for raw in qemu.stdout:
        line = raw.decode(errors="replace").rstrip("\r\n")
        ran.lines.append(line)
        if line.startswith("HOST "):
            monitor = monitor or _Monitor(monitor_path)
            ran.lines.append(f"[host: {json.dumps(monitor.ask(json.loads(line.removeprefix('HOST '))))}]")
        elif found := re.fullmatch(r"RESULT (\d+)", line):
            ran.status = int(found[1])
    if monitor:
        monitor.file.close()
        monitor.socket.close()
