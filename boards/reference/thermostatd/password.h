// SPDX-License-Identifier: Apache-2.0
// Secrets that are only compared: scrypt with a salt of their own.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace ht1 {

struct SecretHash {
  std::string hash, salt;
  unsigned n = 16384, r = 8, p = 1;
};

SecretHash hash_secret(std::string_view secret);
bool matches(const SecretHash& kept, std::string_view secret);
// {"scrypt": "<hex>", "salt": "<hex>", "n", "r", "p"}: Failure when it is not that, or so big that it would stop the device.
SecretHash secret_from_json(const nlohmann::json& text);
nlohmann::json to_json(const SecretHash& secret);

// What a user may choose: at least 10 characters, none of the common ones. Refusal 400 says why not.
void check_password_policy(std::string_view password);

}  // namespace ht1
