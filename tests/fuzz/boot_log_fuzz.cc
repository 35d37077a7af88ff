// SPDX-License-Identifier: Apache-2.0
// A zero byte parts a recording from its index: there are lines, each within the recording, the same at any chunking.
#include <cstdlib>
#include <fstream>

#include "console/reference_boots.h"
#include "fakes/temp_dir.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDir temp;
  const auto& dir = temp.path();
  const std::string input(reinterpret_cast<const char*>(data), size), raw = input.substr(0, input.find('\0'));
  std::ofstream(dir / "d.raw", std::ios::binary) << raw;
  std::ofstream(dir / "d.index", std::ios::binary) << input.substr(std::min(raw.size() + 1, size));
  BootLog boot;
  boot.file = "d.raw", boot.declared = {"ready"}, boot.span = {0, raw.size()}, boot.talk_from = raw.size() / 2;
  boot.stages.push_back({"ready", 1s, 1s, true, {0, 0}});
  BootLog other = boot;
  read_lines(boot, dir);
  take_lines(other, raw);
  // Of what the index says only the times depend.
  for (const auto& damage : boot.damage)
    if (!damage.starts_with("the index ")) std::abort();
  if (boot.lines.size() != other.lines.size()) std::abort();
  for (const auto& line : boot.lines)
    if (line.text.empty() || line.span.begin >= line.span.end || line.span.end > raw.size()) std::abort();
  if (!ReferenceBoots(std::vector{boot}).not_in(other).empty()) std::abort();  // a boot has nothing that it lacks itself
  return 0;
}
