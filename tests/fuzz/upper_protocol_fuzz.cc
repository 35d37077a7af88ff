// SPDX-License-Identifier: Apache-2.0
// Any bytes of a client, in one piece and byte by byte: the answers are the same, and no more than what was asked for.
#include <cstdlib>

#include "network/intercept/upper_protocol.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;  // by byte it is quadratic
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto file_at = [](std::string_view path) { return path == "/a" ? std::string("a file") : std::string(); };
  UpperProtocol whole(200, file_at), by_byte(200, file_at);
  const auto at_once = whole.answer(bytes);
  std::string one_by_one;
  for (const char byte : bytes) one_by_one += by_byte.answer(std::string_view(&byte, 1));
  if (at_once != one_by_one) std::abort();
  if (at_once.size() > 256 + 64 * size) std::abort();
  return 0;
}
