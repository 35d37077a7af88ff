# SPDX-License-Identifier: Apache-2.0
"""Mounts that nobody else sees, for as long as a command runs."""

from __future__ import annotations

import os
import subprocess


def private_mounts() -> list[str]:
    """What to write in front of the command: a mount namespace of its own, in a user namespace where it takes one."""
    if os.geteuid() != 0:
        return ["unshare", "-Urm"]
    private = ["unshare", "-m"]
    # The root of a chroot is no mount, whose propagation could be changed: it stays what it is outside.
    works = subprocess.run([*private, "true"], capture_output=True, check=False).returncode == 0
    return private if works else [*private, "--propagation", "unchanged"]
