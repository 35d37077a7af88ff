// SPDX-License-Identifier: Apache-2.0
// node tools/ruff/check.mjs [--fix]: lints and checks the format of every tracked .py and .pyi file by the [tool.ruff] tables of pyproject.toml.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import ruff from "@astral-sh/ruff-wasm-nodejs";

// The few keys of pyproject.toml that are ours: strings, numbers and lists of strings.
function tables(text) {
  const found = {};
  let table = null;
  for (const line of text.split("\n")) {
    const header = line.match(/^\[(.+)\]$/);
    if (header) table = found[header[1]] = {};
    const pair = line.match(/^([\w-]+) = (.+)$/);
    if (pair && table) table[pair[1]] = JSON.parse(pair[2]);
  }
  return found;
}

const config = tables(readFileSync("pyproject.toml", "utf8"));
const settings = { ...config["tool.ruff"], lint: config["tool.ruff.lint"] };
const workspace = new ruff.Workspace(settings, ruff.PositionEncoding.Utf32);
const files = execFileSync("git", ["ls-files", "*.py", "*.pyi"], { encoding: "utf8" }).split("\n").filter(Boolean);
const fix = process.argv.includes("--fix");

// Applies the edits of every finding that has a fix, last first, skipping what overlaps.
function fixed(source, findings) {
  const lines = source.split("\n");
  const at = (place) => lines.slice(0, place.row - 1).reduce((sum, line) => sum + line.length + 1, 0) + place.column - 1;
  const edits = findings.flatMap((f) => f.fix?.edits ?? []).map((e) => [at(e.location), at(e.end_location), e.content ?? ""]);
  edits.sort((a, b) => b[0] - a[0]);
  let limit = Infinity;
  for (const [begin, end, content] of edits) {
    if (end > limit) continue;
    source = source.slice(0, begin) + content + source.slice(end);
    limit = begin;
  }
  return source;
}

let problems = 0;
for (const file of files) {
  let source = readFileSync(file, "utf8");
  const original = source;
  if (fix) {
    for (let round = 0; round < 5; ++round) source = fixed(source, workspace.check(source));
    source = workspace.format(source);
    if (source !== original) writeFileSync(file, source);
  }
  for (const finding of workspace.check(source)) {
    console.log(`${file}:${finding.start_location.row}:${finding.start_location.column}: ${finding.code} ${finding.message}`);
    ++problems;
  }
  if (workspace.format(source) !== source) {
    console.log(`${file}: not formatted: ./dev lint --fix`);
    ++problems;
  }
}
console.log(`ruff: ${files.length} files, ${problems} problems`);
if (files.length === 0) throw new Error("ruff saw no file");
process.exit(problems ? 1 : 0);
