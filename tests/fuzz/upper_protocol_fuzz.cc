// SPDX-License-Identifier: Apache-2.0
// Any bytes of a client, in one piece and byte by byte: the answers are the same, and no more than what was asked for.
#include <cstdlib>

#include "network/intercept/upper_protocol.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;  // by byte it is quadratic
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto answer_to = [](std::string_view method, std::string_view path) {
    return method.size() < 16 && path == "/a" ? std::optional(PlannedAnswer{201, "text/plain", "a body"}) : std::nullopt;
  };
  UpperProtocol whole(200, answer_to), by_byte(200, answer_to);
  const auto at_once = whole.answer(bytes);
  std::string one_by_one;
  for (const char byte : bytes) one_by_one += by_byte.answer(std::string_view(&byte, 1));
  if (at_once != one_by_one) std::abort();
  if (at_once.size() > 256 + 64 * size) std::abort();
  return 0;
}
