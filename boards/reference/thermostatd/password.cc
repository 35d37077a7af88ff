// SPDX-License-Identifier: Apache-2.0
#include "password.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "crypto.h"
#include "error.h"

namespace ht1 {
namespace {

// What is left of the usual lists when everything under 10 characters is refused anyway.
constexpr std::array<std::string_view, 32> kCommon = {
    "1234567890",    "0123456789",  "0987654321",  "qwertyuiop",  "1q2w3e4r5t",  "password12",  "password123",   "password1234",
    "passw0rd123",   "iloveyou12",  "iloveyou123", "abcdefghij",  "1234554321",  "q1w2e3r4t5",  "administrator", "admin12345",
    "admin123456",   "letmein1234", "welcome123",  "welcome1234", "football123", "basketball",  "thermostat",    "thermostat1",
    "thermostat123", "heating123",  "changeme12",  "changeme123", "superman123", "qwerty12345", "qwerty123456",  "12345678910"};

}  // namespace

SecretHash hash_secret(std::string_view secret) {
  SecretHash made;
  made.salt = random_bytes(16);
  made.hash = scrypt(secret, made.salt, made.n, made.r, made.p);
  return made;
}

bool matches(const SecretHash& kept, std::string_view secret) {
  return same_secret(kept.hash, scrypt(secret, kept.salt, kept.n, kept.r, kept.p));
}

SecretHash secret_from_json(const nlohmann::json& text) {
  try {
    SecretHash read;
    const auto hash = from_hex(text.at("scrypt").get<std::string>()), salt = from_hex(text.at("salt").get<std::string>());
    read.n = text.at("n"), read.r = text.at("r"), read.p = text.at("p");
    const bool fits = hash && salt && hash->size() == 32 && !salt->empty() && read.n >= 2 && read.n <= 32768 &&
                      (read.n & (read.n - 1)) == 0 && read.r >= 1 && read.r <= 8 && read.p >= 1 && read.p <= 4;
    if (!fits) throw Failure("a hashed secret is not one: 32 bytes of hash, n a power of 2 up to 32768, r up to 8, p up to 4");
    read.hash = *hash, read.salt = *salt;
    return read;
  } catch (const nlohmann::json::exception& e) {
    throw Failure(std::string("a hashed secret cannot be read: ") + e.what());
  }
}

nlohmann::json to_json(const SecretHash& secret) {
  return {{"scrypt", to_hex(secret.hash)}, {"salt", to_hex(secret.salt)}, {"n", secret.n}, {"r", secret.r}, {"p", secret.p}};
}

void check_password_policy(std::string_view password) {
  if (password.size() < 10) throw Refusal(400, "the password needs at least 10 characters");
  if (password.size() > 128) throw Refusal(400, "the password may have at most 128 bytes");
  std::string lower(password);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (std::find(kCommon.begin(), kCommon.end(), lower) != kCommon.end())
    throw Refusal(400, "this password is among the first that are guessed");
  if (std::set<char>(lower.begin(), lower.end()).size() < 5) throw Refusal(400, "the password needs at least 5 different characters");
}

}  // namespace ht1
