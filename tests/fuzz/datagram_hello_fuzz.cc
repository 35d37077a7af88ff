// SPDX-License-Identifier: Apache-2.0
// Any bytes as a datagram, and as what a TLS server hears first: it ends, and says nothing beyond what is there.
#include <cstdlib>

#include "network/intercept/datagram_hello.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto found = parse_datagram_hello(std::as_bytes(std::span(data, size)));
  if (found && found->hello.has_value() == !found->unread.empty()) std::abort();
  if (found && found->hello && found->hello->server_name.size() > 253) std::abort();
  ClientHelloReader reader;
  for (std::size_t at = 0; at < size; at += 7) reader.take({reinterpret_cast<const char*>(data) + at, std::min<std::size_t>(7, size - at)});
  if (reader.bytes().size() > size) std::abort();
  return 0;
}
