// SPDX-License-Identifier: Apache-2.0
// What is typed at the closed console: the same answers however it is cut into pieces, and only the secret unlocks.
#include <cstdlib>

#include "thermostatd/console_lock.h"
#include "thermostatd/crypto.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  static const SecretHash secret = [] {
    SecretHash made{.hash = "", .salt = "salt", .n = 2, .r = 1, .p = 1};
    made.hash = scrypt("debug-secret", made.salt, made.n, made.r, made.p);
    return made;
  }();
  const std::string typed(reinterpret_cast<const char*>(data), size);
  unsigned failures = 0, of_pieces = 0;
  ConsoleLock whole(
      secret, [] { return 1000.0; }, 0, [&](unsigned count) { failures = count; });
  ConsoleLock pieces(
      secret, [] { return 1000.0; }, 0, [&](unsigned count) { of_pieces = count; });
  const auto answer = whole.feed(typed);
  ConsoleLock::Answer sum;
  for (std::size_t i = 0; i < size && !sum.unlocked; ++i) {
    const auto one = pieces.feed(std::string_view(typed).substr(i, 1));
    sum.text += one.text;
    sum.unlocked = one.unlocked;
  }
  if (answer.text != sum.text || answer.unlocked != sum.unlocked || failures != of_pieces || failures > ConsoleLock::kFree) std::abort();
  if (answer.unlocked && typed.find("unlock debug-secret") == std::string::npos) std::abort();
  return 0;
}
