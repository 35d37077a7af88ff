# SPDX-License-Identifier: Apache-2.0
"""U-Boot's autoboot: Debian's U-Boot, which any key stops, and one with a password, which a script plays as doc/README.autoboot has it."""

from __future__ import annotations

import shlex
import socket
from pathlib import Path

import hilcop
import pytest
from board_console import console_of, console_of_script
from hilcop.credentials import UBootLogin, try_console_logins
from rig import HOME, free_port, running

U_BOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"


def test_a_real_one_that_any_key_stops_is_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, monitor = free_port(), tmp_path / "monitor"
    machine = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "128", "-nodefaults", "-display", "none", "-bios", U_BOOT]
    ends = ["-serial", f"tcp:{HOME}:{port},server=on,wait=off", "-monitor", f"unix:{monitor},server=on,wait=off"]

    def restart() -> None:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(str(monitor))
            control.sendall(b"system_reset\n")
            heard = b""
            while heard.count(b"(qemu)") < 2:  # when it is done
                piece = control.recv(4096)
                assert piece, heard
                heard += piece

    line = f"driver: tcp-console, host: {HOME}, port: {port}"
    with running([*machine, *ends], port, tmp_path / "log"), console_of(tmp_path, monkeypatch, line) as console:
        login = UBootLogin(console, restart)
        done = try_console_logins(login, [("", "x")], control=("", "right"), interval_s=0, answer_within_s=30, timeout_s=100)
    assert done.without is not None
    assert done.without.said == "its prompt"
    assert done.open_to_all
    assert done.accepts_anything
    assert not done.complete


PLAYED = r"""
stty -icanon -isig min 1
read -r line
while :; do
  printf '\r\nU-Boot 2023.01\r\nDRAM: 128 MiB\r\nAutoboot in 3 seconds\r\n'
  if IFS= read -r -t 3 typed && [ "$typed" = "$STOP" ]; then
    printf '=> '
    while IFS= read -r line && [ "$line" != reset ]; do eval "$line"; printf '=> '; done
  else
    printf '## Loading kernel\r\nStarting kernel ...\r\n'
    while IFS= read -r line && [ "$line" != reset ]; do :; done
  fi
done
"""


@pytest.mark.parametrize(("stops", "found"), [("lab-77", []), ("vizxv", [1])])
def test_one_with_a_password_is_stopped_by_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: str, found: list[int]) -> None:
    with console_of_script(tmp_path, monkeypatch, f"exec env STOP='{stops}' bash -c {shlex.quote(PLAYED)}") as console:
        login = UBootLogin(console, lambda: console.write_line("reset"))
        pairs = [("root", "xc3511"), ("root", "vizxv"), ("admin", "vizxv")]
        done = try_console_logins(login, pairs, control=("", stops), interval_s=0, answer_within_s=15, timeout_s=80)
    assert done.complete, done.incomplete
    assert [attempt.index for attempt in done.accepted] == found
    assert not done.open_to_all
    assert len(done.attempts) == 2, "a password is tried once"


def test_one_that_cannot_be_stopped_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with console_of_script(tmp_path, monkeypatch, "while read line; do echo 'U-Boot 2023.01'; echo 'Starting kernel'; done") as console:
        login = UBootLogin(console, lambda: console.write_line("reset"))
        done = try_console_logins(login, [("", "x")], control=("", "right"), interval_s=0, answer_within_s=0.5, timeout_s=60)
    assert done.without is not None
    assert done.without.said.startswith("no autoboot to be stopped")
    assert not done.complete


@pytest.mark.parametrize(
    "failure", [hilcop.errors.make("Timeout", "relay", "late", "look", "relay: late"), ConnectionRefusedError(111, "no")]
)
def test_a_restart_that_fails_is_the_benchs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def restart() -> None:
        raise failure

    with (
        console_of_script(tmp_path, monkeypatch, "sleep 60") as console,
        pytest.raises(hilcop.Error, match=r"relay: late|be restarted: .*no"),
    ):
        try_console_logins(UBootLogin(console, restart), [("", "x")], interval_s=0, answer_within_s=1, timeout_s=20)
