# SPDX-License-Identifier: Apache-2.0
"""Completion in real shells: bash with its own words, zsh at a terminal. Whatever is broken, nothing is printed and nothing hangs."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
PROGRAM = os.environ["HILCOP_PROGRAM"]

BENCH = """bench: x
instruments: { r: { driver: modbus-relay, host: h } }
duts:
  lamp: { board: plain.yaml, power: { instrument: r, channel: 1 } }
  lantern: { board: plain.yaml }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "hilcop").symlink_to(PROGRAM)
    (tmp_path / "mine.yaml").write_text(BENCH)
    (tmp_path / "plain.yaml").write_text("board: plain\n")
    (tmp_path / "broken.yaml").write_text("bench: [\n")
    (tmp_path / "with space.yaml").write_text(BENCH)
    return tmp_path


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "HILCOP_BENCH"}
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return {
        **kept,
        "PATH": path,
        "HILCOP_HOME": str(SOURCE),
        "HILCOP_RUNTIME_DIR": str(folder / "r"),
        "HILCOP_STATE_DIR": str(folder / "s"),
        **more,
    }


def bash(folder: Path, words: list[str], **more: str) -> list[str]:
    """What bash would offer for the last word. Nothing after 3 s is the program's alarm on a host with no time for it, and no answer."""
    for _ in range(10):
        begin = time.monotonic()
        offered = bash_once(folder, words, **more)
        if offered or time.monotonic() - begin < 3:
            break
    return offered


def bash_once(folder: Path, words: list[str], **more: str) -> list[str]:
    script = (
        'set -u; source <(hilcop completion bash); COMP_WORDS=(hilcop "$@"); COMP_CWORD=$#; COMPREPLY=(); '
        '"$(complete -p hilcop | sed "s/.*-F \\([^ ]*\\) .*/\\1/")"; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words],
        cwd=folder,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines() if done.stdout != "\n" else []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sch"], ["schema"]),
        (["keep"], []),
        (["schema", ""], ["bench", "board"]),
        (["power", "board"], ["board1", "board2"]),
        (["power", "board1", ""], ["cycle", "off", "on", "status"]),
        (["power", "board1", "on", ""], []),
        (["power", "-b", "mine.yaml", "l"], ["lamp", "lantern"]),
        (["power", "--bench", "mine.yaml", "lam"], ["lamp"]),
        (["power", "--bench=mine.yaml", "lam"], ["lamp"]),
        (["power", "--bench", "=", "mine.yaml", "lam"], ["lamp"]),
        (["power", "board1", "--wa"], ["--wait"]),
        (["power", "board1", "--wait", ""], []),
        (["run", "--effort", ""], ["demo", "standard", "test"]),
        (["run", "--effort", "=", "st"], ["standard"]),
        (["run", "--effort", "="], ["demo", "standard", "test"]),
        (["run", "--effort=de"], ["--effort=demo"]),
        (["run", "--dut", "board"], ["board1", "board2"]),
        (["run", "-b", "mine.yaml", "-d", "la"], ["lamp", "lantern"]),
        (["run", "G09-"], ["G09-POWER-CYCLE"]),
        (["run", "G09-POWER-CYCLE", "G09-"], ["G09-POWER-CYCLE"]),
        (["list", "--bench", "virt"], ["virtual"]),
        (["list", "--bench", "mi"], ["mine.yaml"]),
        (["check", "with"], ["with space.yaml"]),
        (["check", "plain.yaml", "mi"], ["mine.yaml"]),
        (["new", ""], ["board", "scenario"]),
        (["new", "board", "x", "--like", "qemu"], ["qemu-arm64"]),
        (["net", ""], ["capture", "scan", "status", "up"]),
        (["net", "status", "-b", "mine.yaml", ""], ["lamp", "lantern"]),
        (["net", "up", "-b", "mine.yaml", "lam"], ["lamp"]),
        (["net", "up", "lamp", "--intercept", "--case", "self"], ["self_signed"]),
        (["net", "scan", "board1", "--no"], ["--no-udp"]),
        (["completion", "z"], ["zsh"]),
        (["power", "-b", "broken.yaml", ""], []),
        (["power", "-b", "none.yaml", ""], []),
        (["power", "-b"], ["--bench"]),
        (["nonsense", "--x", "y"], []),
        (["power", "--no-such", "board"], ["board1", "board2"]),
    ],
)
def test_bash(words: list[str], offered: list[str], folder: Path) -> None:
    if words[-1:] == ["-b"]:
        offered = []  # a short option is complete as it is
    assert bash(folder, words) == offered


def test_the_bench_of_the_environment_is_honoured(folder: Path) -> None:
    assert bash(folder, ["console", ""], HILCOP_BENCH="mine.yaml") == ["lamp", "lantern"]
    assert bash(folder, ["console", ""], HILCOP_BENCH="broken.yaml") == []


def test_every_command_and_option_of_the_help_is_offered(folder: Path) -> None:
    text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    commands = [line.split()[0] for line in text.split("Subcommands:")[1].splitlines() if line.startswith("  ")]
    assert bash(folder, [""]) == sorted(commands)
    for command in commands:
        told = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
        options = {
            word.rstrip(",") for line in told.splitlines() if line.startswith("  -") for word in line.split() if word.startswith("--")
        }
        options = {name for entry in options for name in entry.split(",")}
        assert options <= set(bash(folder, [command, "--"])), command


def test_it_answers_fast_and_says_nothing_whatever_it_is_asked(folder: Path) -> None:
    (folder / "huge.yaml").write_text(
        "bench: x\ninstruments: {}\nduts:\n" + "".join(f"  d{n}: {{ board: plain.yaml }}\n" for n in range(2000))
    )
    for words in (
        [],
        ["power"],
        ["power", "-b", "huge.yaml", "d1"],
        ["power", "\x00"[:0], "\n", "'"],
        ["--"],
        ["-"],
        ["run", "--scenarios", "/nowhere", ""],
    ):
        begin = time.monotonic()
        done = subprocess.run(
            [PROGRAM, "complete", *words], cwd=folder, env=environment(folder), capture_output=True, timeout=20, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert time.monotonic() - begin < 10  # its alarm is at 3 s; the rest is the host's, which has to start it


def test_a_path_that_hangs_ends_by_itself(folder: Path) -> None:
    os.mkfifo(folder / "pipe.py")  # opening it for reading waits for a writer for ever
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "x.py").symlink_to(folder / "pipe.py")
    words = ["run", "--scenarios", "scenarios", "--effort", "demo", ""]
    done = subprocess.run([PROGRAM, "complete", *words], cwd=folder, env=environment(folder), capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


class Zsh:
    """An interactive zsh at a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment(folder, TERM="dumb", PS1="READY> ", ZDOTDIR=str(folder)))
        self.seen = ""
        self.wait_for("READY> ")

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def comes(self, text: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while text not in self.seen and select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        return text in self.seen

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """What came up to and with the text."""
        assert self.comes(text, seconds), f"'{text}' never came: {self.seen!r}"
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def completes(self, typed: str, text: str) -> str:
        """What came up to and with the text, once asked to complete; asked again, as the alarm (3 s) may have been the answer."""
        self.type(typed)
        for _ in range(6):
            self.type("\t")
            if self.comes(text, 8):
                break
        return self.wait_for(text)

    def close(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def test_zsh_at_a_terminal(folder: Path) -> None:
    zsh = Zsh(folder)
    try:
        zsh.type("autoload -U compinit; compinit -u -D; source <(hilcop completion zsh); print LOA''DED\n")
        zsh.wait_for("LOADED")
        zsh.wait_for("READY> ")
        zsh.completes("hilcop sche", "hilcop schema ")
        zsh.completes("be", "bench ")
        zsh.completes("\x15hilcop power -b mine.yaml lant", "lantern ")
        zsh.completes("\x15hilcop run --effort=st", "standard ")
        shown = zsh.completes("\x15hilcop power board", "qemu-arm64")  # the description beside them
        assert "board1" in shown
        assert "board2" in shown
        zsh.type("\x15hilcop power -b broken.yaml \t\x15print QUI''ET\n")
        between = zsh.wait_for("QUIET")
        assert "hilcop:" not in between
        assert "problem" not in between
        zsh.completes("hilcop check pla", "plain.yaml ")
    finally:
        zsh.close()
