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
#include "network/services/ntp_packet.h"
#include "network/services/udp_socket.h"

namespace hilcop::services {

/// What a time server does.
struct NtpBehaviour {
  enum class Kind {
    Answer,       // shows the clock; sound where nothing else is said below
    KissOfDeath,  // tells the client to go away (RFC 5905 7.4)
    Stratum16,    // says of itself that it is not synchronized; the time is shown all the same
    Silence,      // says nothing
  };
  Kind kind = Kind::Answer;
  std::string kiss = "RATE";            // or DENY, RSTR, or any other four capital letters
  std::chrono::milliseconds offset{0};  // that the clock shown is ahead of UTC; negative: behind. At most 10,000 years
  std::chrono::milliseconds step{0};    // added to it once `step_after` requests have been served since this was set
  std::uint64_t step_after = 0;
  Nanoseconds delay{0};  // before the answer, whose stamps tell the truth about it; an hour at most
};
std::string to_string(NtpBehaviour::Kind kind);  // "kiss_of_death"

/// One datagram and what became of it.
struct NtpExchange {
  enum class Fate {
    Waiting,  // the answer is delayed: the same number is told again when its fate is known
    Answered,
    Silent,     // nothing was to be said
    Failed,     // it could not be sent; `problem` says why
    Malformed,  // no request; never answered
    Control,    // modes 6 and 7 (ntpq, monlist), which amplify; never answered
  };
  std::uint64_t number = 0;  // from 1
  SteadyTime at;             // when it was read
  UtcTime utc;
  Endpoint client;
  Endpoint aimed_at;        // what the client had sent it to
  bool redirected = false;  // that was not this server
  int version = 0;          // 0: unknown
  std::size_t size = 0;     // bytes; more than 48: with extensions or a signature, which are not answered in kind
  Fate fate = Fate::Silent;
  std::string answered;                 // "the clock, 3600.000 s ahead", "kiss of death DENY", "nothing"
  std::optional<NtpTime> client_clock;  // what the client sent as its time; many send something random
  std::optional<SteadyTime> answered_at;
  std::string problem, excerpt;  // of what is no request: its first 64 bytes at most, in hexadecimal
};

struct NtpCounts {
  std::uint64_t requests = 0, answered = 0, silent = 0, failed = 0, control = 0, malformed = 0;
};

/// The answer to a client's request that came at `received` and is sent at `sent`; what it shows is by so much `ahead` of UTC.
NtpPacket ntp_answer(const NtpPacket& request, const NtpBehaviour& behaviour, std::chrono::milliseconds ahead, UtcTime received,
                     UtcTime sent);

struct NtpServerOptions {
  std::string object = "NTP server";  // in errors
  OriginalDestination original_destination = {};
  const Clock* clock = nullptr;  // real_clock(); what a sound server shows
  std::size_t delayed = 10'000;  // answers that wait at a time; one more is not sent, and told as Failed
};

/// A time server that lies as it is told: to clients (mode 3) of NTP and SNTP, versions 2 to 4. One thread, which waits for its socket
/// alone. Never sends more than it was sent. Thread-safe.
class NtpServer {
 public:
  /// Called on the server's thread, one at a time; must not block, nor throw, nor end the server.
  using Tell = std::function<void(const NtpExchange&)>;

  /// Serves on a bound socket of UDP from now on. Throws Error{Config}: it is none; Error{Exhausted}.
  NtpServer(UniqueFd socket, Tell tell, NtpServerOptions options = {});
  /// Answers that still wait are not sent, and told as Failed.
  ~NtpServer();

  /// For requests from now on; those that the step counts begin anew. Throws Error{Config}.
  void set(const NtpBehaviour& behaviour);
  NtpCounts counts() const;
  /// Why it does not serve any more, if that is so. Who judges by what was not asked must look.
  std::optional<Error> failure() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace hilcop::services
