// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace hilcop::analysis {

IpAddress IpAddress::of(Bytes bytes) {
  IpAddress made;
  if (bytes.size() != 4 && bytes.size() != 16) return made;
  std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
  made.size = static_cast<std::uint8_t>(bytes.size());
  return made;
}

std::string IpAddress::text() const {
  if (size == 0) return "none";
  char shown[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes.data(), shown, sizeof(shown));
  return shown;
}

std::string Endpoint::text() const {
  return (address.size == 16 ? "[" + address.text() + "]" : address.text()) + ":" + std::to_string(port);
}

}  // namespace hilcop::analysis
