// SPDX-License-Identifier: Apache-2.0
// The flaws that this daemon can have: names in the unit's factory data. Names of other parts of the product are none of its business.
#pragma once

#include <array>
#include <set>
#include <string>
#include <string_view>

namespace ht1 {

inline constexpr std::array kFlaws = {
    std::string_view{"api-without-auth"},
    std::string_view{"cert-unchecked"},
    std::string_view{"crash-on-long-json"},
    std::string_view{"default-admin"},
    std::string_view{"expiry-unchecked"},
    std::string_view{"hang-on-long-name"},
    std::string_view{"hidden-account"},
    std::string_view{"identity-writable"},
    std::string_view{"import-slip"},
    std::string_view{"key-in-image"},
    std::string_view{"keys-in-clear"},
    std::string_view{"lockout-forgets"},
    std::string_view{"log-lost-at-power-cut"},
    std::string_view{"login-in-clear"},
    std::string_view{"mark-good-early"},
    std::string_view{"mqtt-clear"},
    std::string_view{"name-unchecked"},
    std::string_view{"no-backoff"},
    std::string_view{"no-fsync"},
    std::string_view{"no-lockout"},
    std::string_view{"no-random-seed"},
    std::string_view{"no-security-log"},
    std::string_view{"optout-ignored"},
    std::string_view{"session-never-ends"},
    std::string_view{"setup-open-again"},
    std::string_view{"setup-without-secret"},
    std::string_view{"shell-in-device-name"},
    std::string_view{"telemetry-before-consent"},
    std::string_view{"tls-1.0"},
    std::string_view{"token-in-log"},
    std::string_view{"undeclared-udp"},
    std::string_view{"update-crc-only"},
    std::string_view{"update-downgrade"},
    std::string_view{"update-unsigned"},
    std::string_view{"verbose-info"},
    std::string_view{"watchdog-off"},
    std::string_view{"wifi-key-in-log"},
    std::string_view{"wipe-half"},
    std::string_view{"wipe-keeps-token"},
    std::string_view{"wipe-unlinks"},
};

// A name out of the table; a misspelt one does not compile.
class FlawName {
 public:
  template <std::size_t N>
  consteval FlawName(const char (&name)[N]) : name_(name, N - 1) {  // NOLINT(google-explicit-constructor): has("no-lockout") is the point
    for (const auto known : kFlaws)
      if (known == name_) return;
    throw "not in the table of flaws";
  }
  constexpr std::string_view get() const { return name_; }

 private:
  std::string_view name_;
};

class Flaws {
 public:
  Flaws() = default;
  explicit Flaws(std::set<std::string, std::less<>> names) : names_(std::move(names)) {}
  bool has(FlawName name) const { return names_.contains(name.get()); }

 private:
  std::set<std::string, std::less<>> names_;
};

}  // namespace ht1
