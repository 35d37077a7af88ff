// SPDX-License-Identifier: Apache-2.0
// What the factory gave this unit: identity, hashed secrets, keys, and which flaws it has.
#pragma once

#include <filesystem>
#include <string>

#include "flaws.h"
#include "password.h"

namespace ht1 {

struct Unit {
  std::string model, serial, mac, hardware, cloud, mqtt, updates;
  SecretHash setup_secret, debug_unlock;
  Flaws flaws;
  std::string fuse_key;
  std::filesystem::path folder;

  std::filesystem::path file(const char* name) const { return folder / name; }
  // The PEM of a key that the factory sealed for this unit ("tls.key", "device.key"): in memory alone. Failure when the fuses do not open
  // it.
  std::string private_key(const std::string& name) const;
};

// Failure when unit.json is not the one whose SHA-256 the fuses have: a changed identity does not start.
Unit read_unit(const std::filesystem::path& factory, const std::filesystem::path& fuses);

}  // namespace ht1
