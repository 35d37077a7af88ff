# SPDX-License-Identifier: Apache-2.0
"""House rules that no compiler knows: licence line, no sleeps outside the clock, no machine paths, files that stay short."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = {".h", ".cc", ".py", ".pyi", ".sh", ".cmake", ".mjs", ".c"}
MAX_LINES = 400

# Where sleeping or reading the clock is the job itself.
CLOCK_OWNERS = {"harness/base/clock.cc"}


def tracked() -> list[Path]:
    """Files of the project: what git knows, or every file outside build folders where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=30)
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    return [p for p in ROOT.rglob("*") if p.is_file() and not {"build", "runs", "node_modules"} & set(p.relative_to(ROOT).parts)]


def code_files() -> list[Path]:
    return [path for path in tracked() if path.suffix in CODE]


def offenders(pattern: str, files: list[Path], allowed: set[str] | None = None) -> list[str]:
    found = []
    for path in files:
        name = str(path.relative_to(ROOT))
        if name in (allowed or set()) or name.startswith("tests/lint/"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{name}:{number}: {line.strip()}")
    return found


def test_every_source_names_its_licence() -> None:
    missing = [
        str(p.relative_to(ROOT)) for p in code_files() if "SPDX-License-Identifier: Apache-2.0" not in p.read_text(encoding="utf-8")[:300]
    ]
    assert not missing


def test_only_the_clock_sleeps() -> None:
    assert not offenders(
        r"\b(sleep_for|sleep_until\(std|usleep\(|nanosleep\()", [p for p in code_files() if p.suffix in {".h", ".cc"}], CLOCK_OWNERS
    )


def test_no_scenario_or_package_code_sleeps() -> None:
    python = [p for p in code_files() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in ("bindings", "scenarios")]
    assert not offenders(r"\btime\.sleep\(", python)


def test_no_file_carries_a_note_of_unfinished_work() -> None:
    assert not offenders(r"\b(TODO|FIXME|XXX|HACK)\b", code_files())


def test_no_machine_path_or_registry_host_is_in_the_project() -> None:
    text = [p for p in tracked() if p.suffix not in {".png", ".ico"} and p.name != "LICENSE"]
    assert not offenders(r"/wor[k]/|/far[m]/|deb\.debian\.or[g]|registry\.npm[j]s", text)


def test_files_stay_short() -> None:
    # A stub lists all of one module, which is one idea however long.
    held = [p for p in code_files() if p.suffix != ".pyi"]
    long = {str(p.relative_to(ROOT)): n for p in held if (n := len(p.read_text(encoding="utf-8").splitlines())) > MAX_LINES}
    assert not long, f"split these by idea: {long}"


def test_the_lint_sees_files() -> None:
    assert len(code_files()) > 20
