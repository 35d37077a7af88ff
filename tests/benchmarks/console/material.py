# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks feed: a boot log without any hit, the same with planted hits, and 63 patterns (what is waited for is the 64th)."""

from __future__ import annotations

import random
import re
from pathlib import Path

PATTERNS = [
    r"Kernel panic - not syncing",
    r"Unable to handle kernel (NULL pointer|paging request)",
    r"Internal error: Oops",
    r"kernel BUG at [a-z/_]{1,80}\.c:[0-9]+",
    r"BUG: soft lockup - CPU#[0-9]+ stuck",
    r"rcu_(sched|preempt) (self-)?detected stall",
    r"INFO: task [a-z0-9:/]{1,40} blocked for more than",
    r"Out of memory: Killed process [0-9]+",
    r"watchdog: watchdog[0-9]: watchdog did not stop",
    r"EXT4-fs error \(device [a-z0-9]+\)",
    r"I/O error, dev [a-z0-9]+, sector [0-9]+",
    r"UBIFS error \(ubi[0-9]",
    r"SQUASHFS error: ",
    r"mmc[0-9]: error -[0-9]+ whilst initialising",
    r"usb [0-9-]+: device descriptor read/64, error",
    r"segfault at [0-9a-f]+ ip [0-9a-f]+",
    r"U-Boot SPL 20[0-9]{2}",
    r"U-Boot 20[0-9]{2}\.[0-9]{2}",
    r"Hit any key to stop autoboot",
    r"Starting kernel \.\.\.",
    r"Booting Linux on physical CPU",
    r"Freeing unused kernel memory",
    r"Run /(sbin/)?init as init process",
    r"login: ",
    r"[Pp]assword: ",
    r"Login incorrect",
    r"Permission denied",
    r"Reboot(ing)? in [0-9]+ seconds",
    r"reset reason: [a-z-]+",
    r"BOOT_ORDER=[AB] [AB]",
    r"Verifying Hash Integrity",
    r"Bad Data (Hash|CRC)",
]
SERVICES = [
    "alarm",
    "audio",
    "battery",
    "bluetooth",
    "camera",
    "cloud",
    "clock",
    "config",
    "crash",
    "display",
    "door",
    "energy",
    "factory",
    "fan",
    "gps",
    "heater",
    "hub",
    "led",
    "lock",
    "meter",
    "modem",
    "mqtt",
    "ota",
    "power",
    "sensor",
    "setup",
    "store",
    "telemetry",
    "time",
    "wifi",
    "zigbee",
]
PATTERNS += [rf"service-{name}: (failed|fatal) \(code [0-9]+\)" for name in SERVICES]

_TEMPLATES = (
    "pci 0000:{a:02x}:{b:02x}.0: BAR {c}: assigned [mem 0x{h:08x}-0x{h:08x}]",
    "virtio_blk virtio{c}: [vd{l}] {n} 512-byte logical blocks ({m} MB/{k} MiB)",
    "platform {h:08x}.serial: irq {a} is a PL011 rev{c}",
    "device-mapper: ioctl: 4.{c}.0 initialised",
    "usb {c}-1: new high-speed device number {a} using xhci_hcd",
    "systemd[1]: Started Daily clean-up of folder {n}.",
    "thermal thermal_zone{c}: binding zone with cooling device {b}",
    "random: crng reseeded, entropy {n} bits",
    "clocksource: arch_sys_counter: mask: 0x{h:08x} max_cycles: 0x{h:08x}",
    "net eth{c}: link is up, {m} Mbit, full duplex, flow control rx",
    "regulator-{a}: voltage operating point is {n} microvolt",
    "audit: type=2000 audit({n}.{a}:{c}): state=initialised res=1",
)


def corpus(bytes_wanted: int = 2 << 20) -> bytes:
    chance, lines, size = random.Random(1), [], 0
    stamp = 0.0
    while size < bytes_wanted:
        stamp += chance.random() / 50
        values = {"a": chance.randrange(256), "b": chance.randrange(32), "c": chance.randrange(8), "h": chance.getrandbits(32)}
        values |= {"l": chance.choice("abcd"), "n": chance.randrange(10**6), "m": chance.randrange(1000), "k": chance.randrange(1000)}
        lines.append(f"[{stamp:12.6f}] {chance.choice(_TEMPLATES).format(**values)}\r\n")
        size += len(lines[-1])
    return "".join(lines).encode()[:bytes_wanted]


PLANTED = ("service-camera: fatal (code 17)", "U-Boot 2031.07", "Out of memory: Killed process 4711", "segfault at dead ip beef")


def planted(text: bytes, count: int = 300) -> bytes:
    """The same with hits at any place, also in the middle of lines: whatever cuts the stream into reads cuts some of them."""
    chance, out, last = random.Random(2), [], 0
    for at in sorted(chance.sample(range(len(text)), count)):
        out += [text[last:at], b"\n" + chance.choice(PLANTED).encode() + b";\n"]
        last = at
    return b"".join([*out, text[last:]])


def hits_in(text: bytes) -> list[tuple[str, int, int]]:
    """(watcher, begin, end) as Python's own re finds them, pattern by pattern."""
    found = [
        (f"w{i}", match.start(), match.end())
        for i, pattern in enumerate(PATTERNS)
        for match in re.finditer(pattern.encode(), text, re.MULTILINE)
    ]
    return sorted(found, key=lambda hit: (hit[2], hit[0]))


def make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = corpus()
    if hits_in(text):
        raise RuntimeError("the corpus has a hit of its own")
    (folder / "corpus.log").write_bytes(text)
    (folder / "planted.log").write_bytes(planted(text))
    (folder / "patterns").write_text("\n".join(PATTERNS) + "\n")
