// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "network/intercept/client_hello.h"
#include "network/intercept/intercept_case.h"
#include "network/intercept/intercept_plan.h"

namespace hilcop {

/// What a client did. A handshake that completes is no fault: some check the name of the host after it. Only data proves that a flaw was
/// accepted; a refusal proves something only where the control of the same host was answered with data. The last three say nothing of the
/// client: no check may pass or fail on them.
enum class InterceptOutcome {
  NeverCame,              // as an answer of wait_for alone
  RefusedInHandshake,     // after it was shown the flaw; or it does not offer what the case would have it take
  RefusedAfterHandshake,  // an alert, a close or a reset, and no byte of data
  CompletedSentNothing,   // it was still there, silent, when its time was up
  SentApplicationData,
  NotTls,       // something else came in the place of a ClientHello; `data` has it
  NotTestable,  // the case needs a CA that the device trusts
  NotJudged,    // it was not shown the flaw, or the bench ended it: `cause` says which
};
std::string to_string(InterceptOutcome outcome);

struct ClientAlert {
  int code = 0;
  bool fatal = false;
  std::string name;  // "unknown CA"
};

struct Moment {
  SteadyTime steady;
  UtcTime utc;
};

/// All of one connection. `cause` is a sentence for people: how it ended, and why that is the outcome.
struct InterceptedConnection {
  std::uint64_t number = 0;  // from 1, in the order they came
  TcpAddress client, aimed_at;
  std::string name;  // of the host it wants: of its ClientHello, else what was given out for the address; empty: not known
  std::optional<ClientHello> hello;
  std::optional<InterceptCase> given;
  InterceptOutcome outcome = InterceptOutcome::NotJudged;
  std::string cause;
  std::vector<ClientAlert> alerts;  // of the client, the first 8
  std::string version, cipher;      // that were agreed on
  bool encrypted = false;           // that `data` came through TLS

  struct Piece {
    Moment at;
    std::size_t offset;  // in data
  };
  std::string data;           // the evidence: what the client sent, decrypted, the first 64 KiB
  std::vector<Piece> pieces;  // when it came, the first 1,024 pieces
  bool data_cut = false;      // there was more

  Moment accepted{}, ended{};
  std::optional<Moment> hello_read, flaw_shown, handshake_done;
};

}  // namespace hilcop
