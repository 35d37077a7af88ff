# SPDX-License-Identifier: Apache-2.0
"""A lab's authority for all tests of a file, and a cloud for each file."""

from __future__ import annotations

from running import PROGRAMS, Authority, Cloud, authority, cloud, done, until

__all__ = ["PROGRAMS", "Authority", "Cloud", "authority", "cloud", "done", "until"]
