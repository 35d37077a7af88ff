// SPDX-License-Identifier: Apache-2.0
// A sealed record as somebody left it on flash: not opened, unless nothing of it was changed.
#include <cstdlib>

#include "thermostatd/crypto.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string key(32, 'k');
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (unseal(key, "token", bytes)) std::abort();  // who can do that has broken AES-GCM
  auto sealed = seal(key, "token", bytes);
  if (unseal(key, "token", sealed) != bytes || unseal(key, "user", sealed)) std::abort();
  const auto at = size == 0 ? 0 : data[0] % sealed.size();
  sealed[at] = static_cast<char>(sealed[at] ^ 1);
  if (unseal(key, "token", sealed)) std::abort();
  if (const auto read = from_hex(bytes); read && to_hex(*read).size() != size) std::abort();
  from_base64(bytes);
  return 0;
}
