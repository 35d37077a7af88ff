# SPDX-License-Identifier: Apache-2.0
"""Users of a test's own for programs that ask this host's: in a mount namespace where other files lie over /etc/passwd and /etc/shadow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(os.environ["HILCOP_SOURCE_DIR"]) / "tests" / "fakes"))

from private_mounts import private_mounts

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="login and sshd become another user, which is root's to do")


def as_if(
    folder: Path, passwords: Mapping[str, str], command: Sequence[str | Path], changed: Mapping[str, int] | None = None
) -> list[str | Path]:
    """The command among users that have these passwords, a shell and this host's rights as root. `sshd` is there too, where it locks
    itself up. `changed`: on which day since 1970 a password was; 0: it must be changed now."""
    hashed = {user: _hashed(password) for user, password in passwords.items()}
    users = "".join(f"{user}:x:0:0:{user}:/:/bin/sh\n" for user in hashed)
    (folder / "passwd").write_text(f"{users}sshd:x:65000:65534::/run/sshd:/usr/sbin/nologin\n")
    (folder / "shadow").write_text(
        "".join(f"{user}:{word}:{(changed or {}).get(user, 19000)}:0:99999:7:::\n" for user, word in hashed.items())
        + "sshd:*:19000::::::\n"
    )
    (folder / "issue").write_text("camera 1.0\n")
    mounts = " && ".join(f"mount --bind '{folder}/{name}' /etc/{name}" for name in ("passwd", "shadow", "issue"))
    return [*private_mounts(), "sh", "-c", f'{mounts} && exec "$@"', "sh", *command]


def _hashed(password: str) -> str:
    if not password:
        return ""
    done = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password + "\n", capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()
