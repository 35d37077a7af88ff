// SPDX-License-Identifier: Apache-2.0
// What an update server says: a sound unit believes nothing unsigned. The text behind the signature is reached by a unit that does.
#include <cstdlib>

#include "thermostatd/error.h"
#include "thermostatd/update_metadata.h"

using namespace ht1;

namespace {

// Of a key that nobody has any more.
constexpr const char* kKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJzZy75rH8DX1CYosjc48zZXSTtPY\n"
    "5nHfgnJNo4A8vbwTg/ucGUsd8yaUpL9hB659T0pm0NNgbCfB9LmLH/jfMw==\n"
    "-----END PUBLIC KEY-----\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    read_metadata(text, kKey, Flaws());
    std::abort();
  } catch (const Failure&) {
  }
  try {
    const Flaws believing({"update-unsigned"});
    const auto offered = read_metadata(text, kKey, believing);
    if (offered.size == 0 || offered.sha256.size() != 64 || !compare_versions(offered.version, offered.min_version)) std::abort();
    const Running running{"HT-1", "1.1.0", "1.0", 1'700'000'000};
    if (is_update(offered, running, Flaws()) && compare_versions(offered.version, running.version) != 1) std::abort();
  } catch (const Failure&) {
  }
  if (const auto same = compare_versions(text, text); same && *same != 0) std::abort();
  seconds_of(text);
  return 0;
}
