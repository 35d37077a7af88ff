# SPDX-License-Identifier: Apache-2.0
"""The type stubs say what the module has, and everything that is Python here passes mypy --strict."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hilcop import _hilcop

SOURCE = Path(os.environ["HILCOP_SOURCE_DIR"])
STUB = SOURCE / "bindings" / "hilcop" / "_hilcop.pyi"


def stub_functions(body: list[ast.stmt]) -> dict[str, list[str]]:
    """Name -> parameter names, keyword-only ones marked with a star."""
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            words = [argument.arg for argument in node.args.args if argument.arg != "self"]
            words += [f"*{argument.arg}" for argument in node.args.kwonlyargs]
            found[node.name] = words
    return found


def module_parameters(function: object) -> list[str]:
    """From pybind11's signature line: "off(self: ..., *, timeout_s: float = 30.0, **kwargs) -> ..."."""
    signature = (inspect.getdoc(function) or "").splitlines()[0]
    inside = signature[signature.index("(") + 1 : signature.rindex(") ->")]
    words, star = [], ""
    for part in re.split(r",\s*(?![^\[]*\])", inside):
        name = part.split(":")[0].strip()
        if name == "*":
            star = "*"
        elif name not in ("self", "**kwargs", ""):
            words.append(star + name)
    return words


def tree() -> ast.Module:
    return ast.parse(STUB.read_text(encoding="utf-8"))


def classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for node in tree().body if isinstance(node, ast.ClassDef)}


def test_the_stub_has_every_name_of_the_module_and_no_other() -> None:
    there = {name for name in vars(_hilcop) if not name.startswith("__")}
    assert there == set(classes()) | set(stub_functions(tree().body))


@pytest.mark.parametrize("name", sorted(classes()))
def test_a_class_has_the_members_that_its_stub_says(name: str) -> None:
    made = getattr(_hilcop, name)
    there = {member for member in vars(made) if not member.startswith("_")}
    body = classes()[name].body
    said = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    said |= {node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    assert there == {member for member in said if not member.startswith("_")}


@pytest.mark.parametrize("name", sorted(classes()))
def test_a_method_takes_what_its_stub_says(name: str) -> None:
    made = getattr(_hilcop, name)
    for method, said in stub_functions(classes()[name].body).items():
        member = vars(made).get(method)
        if member is None or isinstance(member, property) or method in ("__init__", "__enter__", "__exit__") or name == "Verdict":
            continue
        assert module_parameters(member) == said, f"{name}.{method}"


def mypy(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        SOURCE / "pyproject.toml",
        "--cache-dir",
        folder / "cache",
        *words,
    ]
    environment = {**os.environ, "MYPYPATH": f"{SOURCE / 'bindings'}:{SOURCE / 'scenarios/g09_resilience'}"}
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=110, check=False)


def test_the_package_and_the_scenarios_pass_mypy_strict(tmp_path: Path) -> None:
    scenarios = [path for path in (SOURCE / "scenarios").rglob("*.py") if not path.name.startswith("_")]
    assert scenarios
    done = mypy("-p", "hilcop", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    done = mypy(*scenarios, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_python_in_the_documents_passes_mypy_strict(tmp_path: Path) -> None:
    blocks = [
        block
        for document in (SOURCE / name for name in ("README.md", "bindings/docs/python.md", "harness/capture/docs/usb.md"))
        for block in re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    assert len(blocks) >= 3
    for number, block in enumerate(blocks):
        (tmp_path / f"block{number}.py").write_text(block)
    done = mypy(*[f"block{number}.py" for number in range(len(blocks))], folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_sees_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "import hilcop\n\ndef f(dut: hilcop.Dut) -> int:\n    dut.power.on(5)\n    return dut.console.run('x').output\n"
    )
    done = mypy("wrong.py", folder=tmp_path)
    assert done.returncode == 1
    assert "Too many positional arguments" in done.stdout
    assert "Incompatible return value type" in done.stdout


def test_mypy_sees_words_that_the_network_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "import hilcop\n\ndef f(dut: hilcop.Dut) -> list[str]:\n"
        "    dut.network.intercept(case='expried')\n"
        "    dut.network.dhcp(nack=True)\n"
        "    with dut.network.capture('a.pcapng') as figures:\n        assert figures['dropped'] == '0'\n"
        "    assert dut.network.sync_capture()['droped'] == 0\n"
        "    return dut.network.status()['hosts']\n"
    )
    done = mypy("wrong.py", folder=tmp_path)
    assert [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line] == ["4", "5", "7", "8", "9"], done.stdout
