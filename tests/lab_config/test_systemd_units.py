# SPDX-License-Identifier: Apache-2.0
"""systemd's own judgement of the units, and a keeper behind a socket that systemd's tool hands over."""

from __future__ import annotations

import grp
import json
import os
import pwd
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]
UNITS = SOURCE / "lab-config/systemd"
# Two groups and two users that every Debian has; the clients of the tests are them.
GROUP, MEMBER, STRANGER = "games", "man", "nobody"


@pytest.mark.parametrize("kind", ["system", "user"])
def test_systemd_finds_nothing_wrong(kind: str, tmp_path: Path) -> None:
    files = []
    for unit in sorted((UNITS / kind).iterdir()):
        files.append(tmp_path / unit.name)
        files[-1].write_text(unit.read_text().replace("/usr/local/bin/hilcop", PROGRAM))
    done = subprocess.run(
        ["systemd-analyze", *(["--user"] if kind == "user" else []), "verify", "--man=no", *map(str, files)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "hilcop" in line]
    assert len(files) == 2
    assert done.returncode == 0, done.stderr
    assert not said


def test_systemd_calls_the_service_hardened() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=45", str(UNITS / "system/hilcop-keeper.service")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_sysusers_takes_its_file() -> None:
    done = subprocess.run(
        ["systemd-sysusers", "--dry-run", str(UNITS / "hilcop.sysusers.conf")], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Creating user 'hilcop'" in done.stderr or "hilcop:" in Path("/etc/passwd").read_text()


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HILCOP_RUNTIME_DIR": str(folder / "run"), "HILCOP_STATE_DIR": str(folder / "state")}


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.02)


def ask(socket_path: Path, line: dict[str, object]) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(socket_path))
        peer.sendall(json.dumps(line).encode() + b"\n")
        answer: dict[str, object] = json.loads(peer.makefile().readline())
        return answer


HELLO = {"id": 1, "op": "hello", "protocol": 1, "client": "test"}


@pytest.fixture
def folder() -> Iterator[Path]:
    # Others have to get there: pytest's own directories are its user's alone, and each pytest that begins makes them so again.
    with tempfile.TemporaryDirectory(prefix="hilcop-units-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def end(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(20)
    finally:
        process.kill()


def test_a_keeper_serves_the_socket_that_systemd_hands_over_and_leaves_it(folder: Path) -> None:
    path = folder / "keeper.sock"
    kept = ["-E", "HILCOP_RUNTIME_DIR", "-E", "HILCOP_STATE_DIR"]
    # Becomes the keeper when somebody connects.
    keeper = subprocess.Popen(
        ["systemd-socket-activate", "-l", str(path), *kept, PROGRAM, "keeper", "--idle-s", "1"], env=environment(folder), text=True
    )
    try:
        wait_for(path)
        answer = ask(path, HELLO)
        assert answer["ok"]
        assert isinstance(answer["result"], dict)
        assert answer["result"]["pid"] == keeper.pid
        assert keeper.wait(20) == 0
    finally:
        keeper.kill()
    # It was not the keeper's to remove.
    assert path.exists()


def test_a_keeper_takes_no_other_socket_than_one_with_a_path(folder: Path) -> None:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        script = f"exec 3<&{tcp.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec {PROGRAM} keeper"
        done = subprocess.run(
            ["bash", "-c", script],
            env=environment(folder),
            pass_fds=[tcp.fileno()],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert "ListenStream" in done.stderr


@pytest.fixture
def keeper(folder: Path) -> Iterator[Path]:
    path = folder / "keeper.sock"
    process = subprocess.Popen([PROGRAM, "keeper", "--socket", str(path), "--group", GROUP], env=environment(folder), text=True)
    try:
        wait_for(path)
        # It is there before it is the group's.
        deadline = time.monotonic() + 20
        while (path.stat().st_mode & 0o777, path.stat().st_gid) != (0o660, grp.getgrnam(GROUP).gr_gid) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield path
    finally:
        assert end(process) == 0


def test_a_group_that_is_not_there_is_refused(folder: Path) -> None:
    words = [PROGRAM, "keeper", "--socket", str(folder / "k.sock"), "--group", "no-such-group"]
    done = subprocess.run(words, env=environment(folder), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "groupadd --system no-such-group" in done.stderr
    assert not (folder / "k.sock").exists()


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

CLIENT = """
import json, os, socket, sys
path, user, groups, text = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
os.setgroups(groups); os.setgid(65534); os.setuid(user)
peer = socket.socket(socket.AF_UNIX); peer.settimeout(20); peer.connect(path)
peer.sendall(text.encode() + b"\\n"); print(peer.makefile().readline())
"""


def ask_as(user: str, groups: list[str], path: Path, line: dict[str, object]) -> subprocess.CompletedProcess[str]:
    numbers = json.dumps([grp.getgrnam(name).gr_gid for name in groups])
    return subprocess.run(
        [sys.executable, "-c", CLIENT, str(path), str(pwd.getpwnam(user).pw_uid), numbers, json.dumps(line)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@as_root
def test_members_of_its_group_are_served_and_strangers_are_not(keeper: Path) -> None:
    assert keeper.stat().st_mode & 0o777 == 0o660
    assert keeper.stat().st_gid == grp.getgrnam(GROUP).gr_gid
    member = ask_as(MEMBER, [GROUP], keeper, HELLO)
    assert json.loads(member.stdout)["ok"], member
    stranger = ask_as(STRANGER, [], keeper, HELLO)
    assert "PermissionError" in stranger.stderr
    # Also where the file's mode would let them in.
    keeper.chmod(0o666)
    assert ask_as(STRANGER, [], keeper, HELLO).stdout.strip() == ""
    assert json.loads(ask_as(MEMBER, [GROUP], keeper, HELLO).stdout)["ok"]


class Relays(socketserver.BaseRequestHandler):
    """Modbus TCP: takes every write, and every coil reads as off."""

    def handle(self) -> None:
        while request := self.request.recv(260):
            body = request[7:12] if request[7] == 5 else bytes([1, 1, 0])
            self.request.sendall(request[:4] + bytes([0, len(body) + 1, request[6]]) + body)


@as_root
def test_a_member_may_force_safe_states_and_the_holder_is_told_who_it_was(keeper: Path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Relays) as relays, socket.socket(socket.AF_UNIX) as holder:
        relays.daemon_threads = True
        threading.Thread(target=relays.serve_forever, daemon=True).start()
        holder.settimeout(20)
        holder.connect(str(keeper))
        config = {"host": "127.0.0.1", "port": relays.server_address[1], "unit": 1, "channels": 8, "timeout_ms": 5000}
        lease = {"instrument": {"name": "r", "driver": "modbus-relay", "config": config}, "channel": "1", "holder": "test"}
        holder.sendall(json.dumps({"id": 1, "op": "lease", **lease, "safe_state": "off", "min_off_ms": 0}).encode() + b"\n")
        lines = holder.makefile()
        assert json.loads(lines.readline())["ok"]
        forced = ask_as(MEMBER, [GROUP], keeper, {"id": 1, "op": "safe_state", "force": True})
        assert json.loads(forced.stdout)["result"][0]["taken_back"], forced
        told = json.loads(lines.readline())
        assert told["event"] == "lease.lost"
        assert told["data"]["reason"] == f"safe-state --force of user {MEMBER}"
        relays.shutdown()


@as_root
def test_leases_of_the_group_stand_where_each_member_can_lock_them(keeper: Path) -> None:
    for place, mode in (("leases", 0o2770), ("records", 0o770)):
        info = (keeper.parent / place).stat()
        assert info.st_mode & 0o7777 == mode
        assert info.st_gid == grp.getgrnam(GROUP).gr_gid


@as_root
def test_a_lease_is_never_taken_through_a_link(keeper: Path, folder: Path) -> None:
    (folder / "bench.yaml").write_text(BENCH)
    (folder / "plain.yaml").write_text("board: plain\n")
    mine = folder / "mine"
    mine.write_text("worth more than a lease\n")
    (keeper.parent / "leases/dut_shared_lamp.lock").symlink_to(mine)
    done = hilcop_as("root", [], keeper, ["power", "lamp", "status", "-b", "bench.yaml"], folder)
    assert done.returncode == 3, done
    assert "dut_shared_lamp.lock" in done.stderr
    assert mine.read_text() == "worth more than a lease\n"


BENCH = """bench: shared
instruments: { r: { driver: modbus-relay, host: 127.0.0.1, port: 1, timeout_ms: 50 } }
duts: { lamp: { board: plain.yaml, power: { instrument: r, channel: '1' } } }
"""


def hilcop_as(user: str, groups: list[str], keeper: Path, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    numbers = ",".join(str(grp.getgrnam(name).gr_gid) for name in groups) or None
    identity = ["--groups", numbers] if numbers else ["--clear-groups"]
    uid = str(pwd.getpwnam(user).pw_uid)
    kept = {name: value for name, value in os.environ.items() if name not in ("HILCOP_RUNTIME_DIR", "XDG_RUNTIME_DIR", "HILCOP_BENCH")}
    (folder / "states").mkdir(exist_ok=True)
    (folder / "states").chmod(0o777)
    return subprocess.run(
        ["setpriv", "--reuid", uid, "--regid", "65534", *identity, PROGRAM, *words],
        env={**kept, "HILCOP_KEEPER_SOCKET": str(keeper), "HILCOP_STATE_DIR": str(folder / "states" / uid), "HILCOP_HOME": str(SOURCE)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@as_root
def test_a_member_uses_the_shared_keeper_and_a_stranger_is_told_which_group_to_join(keeper: Path, folder: Path) -> None:
    (folder / "bench.yaml").write_text(BENCH)
    (folder / "plain.yaml").write_text("board: plain\n")
    words = ["power", "lamp", "status", "-b", "bench.yaml"]
    member = hilcop_as(MEMBER, [GROUP], keeper, words, folder)
    # As far as the relay board, which is not there.
    assert "relay board 'r'" in member.stderr, member
    assert list((keeper.parent / "leases").glob("dut*.lock"))
    another = hilcop_as(STRANGER, [GROUP], keeper, words, folder)
    assert "relay board 'r'" in another.stderr, another
    stranger = hilcop_as(STRANGER, [], keeper, words, folder)
    assert stranger.returncode == 3
    assert "Permission denied" in stranger.stderr, stranger


@as_root
def test_a_self_test_of_one_member_that_failed_refuses_the_run_of_another(keeper: Path, folder: Path) -> None:
    (folder / "bench.yaml").write_text(BENCH)
    (folder / "plain.yaml").write_text("board: plain\n")
    (folder / "states").mkdir()
    (folder / "states").chmod(0o777)
    words = ["selftest", "-b", "bench.yaml", "--min-free-mib", "1", "--out", str(folder / "states/selftest")]
    assert "relay board 'r'" in hilcop_as(MEMBER, [GROUP], keeper, words, folder).stdout
    another = hilcop_as(STRANGER, [GROUP], keeper, ["run", "G09-POWER-CYCLE", "--dut", "lamp", "-b", "bench.yaml"], folder)
    assert another.returncode == 3
    assert "no run without a self-test that passed: failed" in another.stderr, another


@as_root
def test_without_its_keeper_nobody_starts_one_of_his_own(folder: Path) -> None:
    (folder / "bench.yaml").write_text(BENCH)
    (folder / "plain.yaml").write_text("board: plain\n")
    gone = folder / "gone.sock"
    (folder / "leases").mkdir()
    (folder / "leases").chmod(0o777)
    done = hilcop_as(MEMBER, [], gone, ["power", "lamp", "status", "-b", "bench.yaml"], folder)
    assert done.returncode == 3
    assert "systemctl status hilcop-keeper" in done.stderr, done
    assert not gone.exists()


@as_root
def test_a_board_file_that_one_may_not_look_at_is_named(keeper: Path, folder: Path) -> None:
    (folder / "hidden").mkdir(mode=0o700)
    (folder / "hidden/plain.yaml").write_text("board: plain\n")
    (folder / "bench.yaml").write_text(BENCH.replace("plain.yaml", "hidden/plain.yaml"))
    done = hilcop_as(MEMBER, [GROUP], keeper, ["power", "lamp", "status", "-b", "bench.yaml"], folder)
    assert (done.returncode, "fault in hilcop" in done.stderr) == (2, False), done
    assert "hidden/plain.yaml" in done.stderr
    assert "check the permissions" in done.stderr
