# SPDX-License-Identifier: Apache-2.0
"""A type's name stands once in its namespace: two classes of one name are undefined behaviour that no linker reports.

Seen: a capture's `Recorder` and a console's. The linker took one destructor for both, and closing a console waited forever.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["harness", "fixtures", "bindings"]

_NAMESPACE = re.compile(r"^namespace ([\w:]*) ?\{")
_END = re.compile(r"^\}  // namespace")
# A definition opens a brace or a base on its line; a declaration ends in a semicolon before either.
_TYPE = re.compile(r"^(?:class|struct|union|enum(?: class| struct)?)\s+(?:\[\[\w+\]\]\s+)?([\w:]+)[^;{]*(?:\{|:|$)")


def types_of(text):
    """The types that a file defines at a namespace's level, with the namespace; those of unnamed namespaces are the file's own."""
    found, within = [], []
    for line in text.splitlines():
        if opened := _NAMESPACE.match(line):
            within.append(opened.group(1))
        elif _END.match(line):
            within.pop()
        elif (defined := _TYPE.match(line)) and "" not in within:
            found.append("::".join([*within, defined.group(1)]))
    return found


def places_of_types(root):
    places = {}
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in {".h", ".cc"}:
                for name in types_of(file.read_text()):
                    places.setdefault(name, []).append(file.relative_to(root).as_posix())
    return places


def test_a_name_is_found_with_its_namespace():
    own = "namespace {\nstruct Mine {\n};\n}  // namespace\n"
    text = f"namespace a {{\n{own}class B : public C {{\n}};\nstruct D;\nstruct E {{}};\nenum class F : int {{ kOne }};\n"
    assert types_of(text) == ["a::B", "a::E", "a::F"]


def test_every_type_has_a_name_of_its_own():
    places = places_of_types(ROOT)
    assert len(places) > 300, "the types of the project are not found any more"
    twice = {name: files for name, files in places.items() if len(files) > 1}
    assert not twice, "types of one name; give one of each another name: " + "; ".join(
        f"{name}: {', '.join(files)}" for name, files in twice.items()
    )
