# SPDX-License-Identifier: Apache-2.0
"""A network for the units of one test process alone: a bridge in a namespace of its own, DHCP and DNS by dnsmasq, the maker's cloud."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from machine import IMAGE, SOURCE

BRIDGE, OURS = "ht1-bench", "192.0.2.1"
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CLOUD = SOURCE / "boards/reference/cloud"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30)


def enter_namespace() -> None:
    """This process and all that it starts, for good; it ends with them."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    flags = CLONE_NEWNET if user == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "a network namespace of its own: is the kernel allowed to make one for this user?")
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    ip("link", "set", "lo", "up")


class Network:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taps = 0
        self.children: list[subprocess.Popen[bytes]] = []
        folder.mkdir()
        enter_namespace()
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{OURS}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        words = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-hosts", "--no-resolv", "--user=root", "--pid-file="]
        words += [f"--interface={BRIDGE}", "--bind-interfaces", "--except-interface=lo", f"--dhcp-leasefile={folder / 'leases'}"]
        words += ["--log-queries", "--log-facility=-"]
        words += ["--dhcp-range=192.0.2.50,192.0.2.99,255.255.255.0,1h", "--dhcp-authoritative", f"--address=/ht1.example/{OURS}"]
        server = self.child("dnsmasq", words)
        end = time.monotonic() + 30
        while ":0043 " not in Path("/proc/net/udp").read_text():  # the port that DHCP servers are asked at
            assert server.poll() is None, (folder / "dnsmasq.log").read_text()
            assert time.monotonic() < end, "dnsmasq does not listen"
            select.select([], [], [], 0.05)

    def child(self, name: str, words: list[str], **how: Any) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("w") as log:
            limited = ["setpriv", "--pdeathsig", "TERM", "timeout", "-k", "5", "7000", *words]
            started = subprocess.Popen(limited, stderr=log, start_new_session=True, stdin=subprocess.DEVNULL, **how)
        self.children.append(started)
        return started

    def tap(self) -> str:
        name = f"unit{self.taps}"
        self.taps += 1
        ip("tuntap", "add", "dev", name, "mode", "tap")
        ip("link", "set", name, "master", BRIDGE, "up")
        return name

    def stop(self) -> None:
        for child in self.children:
            os.killpg(child.pid, signal.SIGTERM)
        for child in self.children:
            child.wait(15)
            if child.stdout:
                child.stdout.close()


class Cloud:
    """The maker's, at the names that the units know."""

    def __init__(self, network: Network, name: str = "cloud") -> None:
        self.folder = network.folder / name
        words = [str(CLOUD / "run"), str(self.folder), "--address", OURS, "--lab-ca", str(IMAGE / "lab-ca")]
        self.process = network.child(name, words, stdout=subprocess.PIPE)
        assert self.process.stdout
        said = self.process.stdout.readline() if select.select([self.process.stdout], [], [], 60)[0] else b""
        assert said.startswith(b"cloud: listening"), (network.folder / f"{name}.log").read_text()

    def publish(self, version: str, bundle: Path, *words: str) -> None:
        program = [CLOUD / "publish", self.folder, "--lab-ca", IMAGE / "lab-ca", "--version", version, "--bundle", bundle, *words]
        subprocess.run(program, check=True, timeout=60, stdout=subprocess.DEVNULL)

    def fault(self, *words: str) -> None:
        subprocess.run([CLOUD / "fault", self.folder, *words], check=True, timeout=60, stdout=subprocess.DEVNULL)

    def received(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        lines = (self.folder / "received.jsonl").read_text().splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        return [line for line in whole if line["kind"] == kind and all(line.get(key) == value for key, value in wanted.items())]

    def expect(self, kind: str, seconds: float = 60, **wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while not (found := self.received(kind, **wanted)):
            assert time.monotonic() < end, f"no {kind} {wanted} in {seconds} s; it received\n{(self.folder / 'received.jsonl').read_text()}"
            select.select([], [], [], 0.05)
        return found[-1]
