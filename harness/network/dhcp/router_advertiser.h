// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "io/unique_fd.h"
#include "network/dhcp/router_advertisement.h"

namespace hilcop {

/// What a router advertiser heard or said.
struct RouterReport {
  enum class Kind {
    Solicited,   // a host asked; `source` and `link_layer` are its own
    Malformed,   // what was no solicitation, and why
    Advertised,  // an advertisement was sent; `source` is where to
    NotSent,     // it was not, and why
    Ignored      // a host asked, and is not answered, and why
  };
  SteadyTime steady;
  UtcTime utc;
  Kind kind{};
  Ipv6 source;
  std::string link_layer;  // six bytes or none
  std::string why;         // "solicited", "periodic", "changed", "farewell"; or the reason
};

struct RouterCounts {
  std::uint64_t solicitations = 0, malformed = 0, sent = 0, not_sent = 0;
};

/// The router of an IPv6 network without DHCPv6: it answers solicitations at once (RFC 4861 6.2.6, without the random delay, which would
/// only blur the timeline), to the one that asked, or to all hosts where that one has no address yet; says it again every `interval` and
/// at each change. One thread, from when it is made until it is destroyed. More than kMostAnswers solicitations in a second are not
/// answered. Thread-safe.
class RouterAdvertiser {
 public:
  /// On its thread. Must not throw, and return soon. May call the advertiser.
  using Tell = std::function<void(const RouterReport&)>;

  /// `socket`: raw ICMPv6 (AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), of whatever network namespace; `interface`: its number there. The source is
  /// the interface's link-local address; while it has none that is usable, sending is tried again every second. Throws Error on `object`.
  RouterAdvertiser(UniqueFd socket, unsigned interface, const RouterAdvertisement& advertisement, Tell tell,
                   std::chrono::milliseconds interval = std::chrono::seconds(10), const Clock& clock = real_clock(),
                   const std::string& object = "IPv6 router");
  ~RouterAdvertiser();

  /// From now on, and to all hosts at once: another prefix, no default route (router_lifetime 0). Throws Error{Config}: nothing is changed.
  void set(const RouterAdvertisement& advertisement);
  /// An outage: nothing is said or answered until speak(). `farewell`: a last advertisement with a router lifetime of 0 comes first, as of
  /// a router that is switched off in an orderly way (RFC 4861 6.2.5); without it hosts go on believing in it for its lifetime.
  void be_silent(bool farewell);
  void speak();
  RouterCounts counts() const;
  /// Why it hears nobody any more, if so.
  std::optional<Error> failure() const;

  static constexpr int kMostAnswers = 50;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilcop
