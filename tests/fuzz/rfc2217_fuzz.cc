// SPDX-License-Identifier: Apache-2.0
// A terminal server's bytes: cut anywhere they give the same line, and answers stay few whatever is asked.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "io/rfc2217.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string whole(reinterpret_cast<const char*>(data), size), pieces = whole, line;
  Rfc2217Session at_once, bit_by_bit;
  for (auto* session : {&at_once, &bit_by_bit}) session->ask(ComPort::Control, "\x08", "DTR");
  whole.resize(at_once.receive(whole));
  for (char& byte : pieces) line.append(&byte, bit_by_bit.receive({&byte, 1}));
  if (line != whole || at_once.output() != bit_by_bit.output() || at_once.line_counters() != bit_by_bit.line_counters()) std::abort();
  if (at_once.output().size() > 200'000 || line.size() > size) std::abort();
  std::string sent;
  at_once.encode(line, sent);
  if (sent.size() > 2 * line.size() || (std::count(sent.begin(), sent.end(), '\xff') & 1) != 0) std::abort();
  return 0;
}
