# SPDX-License-Identifier: Apache-2.0
"""compiled.py BUILD FOLDER...: the translation units of these folders, a line each, as compile_commands.json of BUILD has them."""

import json
import os
import sys


def main() -> None:
    build, folders = sys.argv[1], sys.argv[2:]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        units = [command["file"] for command in json.load(file)]
    roots = [os.path.abspath(os.path.join(base, folder)) + os.sep for folder in folders for base in (".", build)]
    for unit in sorted(set(units)):
        if any(unit.startswith(root) for root in roots):
            print(unit)


main()
