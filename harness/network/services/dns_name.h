// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hilcop::services {

/// A domain name: labels of 1 to 63 bytes, on the wire at most 255 (RFC 1035 3.1). Keeps its case, which does not count where names are
/// compared (RFC 4343). A value.
class DnsName {
 public:
  DnsName() = default;  // the root
  /// "www.example.com", with a dot at its end or without; \. \\ and \DDD stand for a byte. Throws Error{Config}.
  static DnsName of(std::string_view text);
  /// As it stands on the wire uncompressed. Whoever calls knows that it is whole.
  static DnsName of_wire(std::string wire);

  /// False, and nothing is added: the label or the name would be too long, or the label is empty.
  bool add_label(std::string_view label);
  const std::string& wire() const { return wire_; }
  std::vector<std::string_view> labels() const;  // live as long as this
  bool is_root() const { return wire_.size() == 1; }
  /// The wire form in lower case: what maps are keyed by.
  std::string folded() const;
  /// For people, without a dot at its end; bytes that do not print are \DDD. The root is ".".
  std::string text() const;
  bool operator==(const DnsName& other) const { return folded() == other.folded(); }

 private:
  std::string wire_ = std::string(1, '\0');
};

}  // namespace hilcop::services
