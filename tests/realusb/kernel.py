# SPDX-License-Identifier: Apache-2.0
"""Debian's own kernel for the guest: downloaded, unpacked and never installed; with an initrd of the modules that USB needs."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "linux-image-amd64"
TOOLS = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "LC_ALL": "C"}


class NoKernel(Exception):
    """What to do is in its text."""


@dataclass(frozen=True)
class Kernel:
    image: Path
    initrd: Path
    version: str


def _out(*command: str | Path, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=TOOLS, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise NoKernel(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def _current() -> str | None:
    """The package that the meta-package stands for, with its version: "linux-image-6.1.0-56-amd64=6.1.192-2"; None: no package lists."""
    found = re.search(r"Depends: (linux-image-\d\S*)", _out("apt-cache", "depends", PACKAGE))
    version = found and re.search(r"Candidate: (\S+)", _out("apt-cache", "policy", found[1]))
    return f"{found[1]}={version[1]}" if found and version else None


def _build(package: str, into: Path) -> None:
    work = into.with_suffix(".new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _out("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package, folder=work)
    (deb,) = work.glob("*.deb")
    _out("dpkg-deb", "-x", deb, work / "package")
    deb.unlink()
    (image,) = (work / "package" / "boot").glob("vmlinuz-*")
    release = image.name.removeprefix("vmlinuz-")
    image.rename(work / "vmlinuz")
    _out("depmod", "-b", work / "package", release)
    root = work / "initrd"
    for folder in ("bin", "sbin", "proc", "sys", "dev", "host"):
        (root / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox", path=TOOLS["PATH"]) or "busybox", root / "bin" / "busybox")
    for name in ("sh", "mount", "mkdir", "ip", "chroot", "modprobe"):
        (root / "bin" / name).symlink_to("busybox")
    (root / "sbin" / "modprobe").symlink_to("../bin/busybox")  # the kernel asks for functions of gadgets there
    shutil.copy(HERE / "init.sh", root / "init")
    (root / "init").chmod(0o755)
    shutil.copy(HERE / "modules.txt", root / "modules.txt")
    modules = root / "lib" / "modules" / release
    needed = {
        line.split()[1]
        for module in (HERE / "modules.txt").read_text().split()
        for line in _out("modprobe", "-d", work / "package", "-S", release, "--show-depends", module).splitlines()
        if line.startswith("insmod")
    }
    for path in sorted(needed):
        relative = Path(path).resolve().relative_to((work / "package" / "lib" / "modules" / release).resolve())
        (modules / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, modules / relative)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(work / "package" / "lib" / "modules" / release / name, modules / name)
    _out("depmod", "-b", root, release)
    _out("sh", "-c", "find . | cpio -o -H newc --quiet | gzip -1 > ../initrd.gz", folder=root)
    shutil.rmtree(work / "package")
    shutil.rmtree(root)
    work.rename(into)


def _stamp() -> str:
    """An initrd is of these files too."""
    import hashlib

    text = b"".join((HERE / name).read_bytes() for name in ("init.sh", "modules.txt", "kernel.py"))
    return hashlib.sha256(text).hexdigest()[:8]


def kernel(cache: Path) -> Kernel:
    """Of the version that apt knows, made once and kept; without package lists the newest that is kept. Raises NoKernel."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        package = _current()
        kept = sorted(cache.glob(f"linux-image-*+{_stamp()}"), key=lambda path: path.stat().st_mtime)
        if package is None and not kept:
            raise NoKernel(f"apt knows no package {PACKAGE}: run `sudo apt-get update` once, with a Debian archive in its sources")
        made = cache / f"{package.replace('=', '-')}+{_stamp()}" if package else kept[-1]
        if package and not made.exists():
            try:
                _build(package, made)
            except NoKernel as why:
                raise NoKernel(f"cannot fetch {package}: {why}\nrun `sudo apt-get update` and check the network") from why
            for old in kept:
                shutil.rmtree(old, ignore_errors=True)
    return Kernel(made / "vmlinuz", made / "initrd.gz", made.name)
