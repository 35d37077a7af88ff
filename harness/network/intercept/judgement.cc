// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace hilcop {
namespace {

bool has_suite(const ClientHello& hello, const std::set<std::uint16_t>& suites) {
  return std::any_of(hello.cipher_suites.begin(), hello.cipher_suites.end(), [&](auto suite) { return suites.contains(suite); });
}

bool has_version(const ClientHello& hello, std::uint16_t version) {
  if (hello.lists_versions) return std::find(hello.versions.begin(), hello.versions.end(), version) != hello.versions.end();
  return hello.versions.at(0) >= version;  // it takes that one or less
}

// False only where the ClientHello itself rules out what the case would have it take.
bool may_offer(const ClientHello& hello, const InterceptCaseFacts& facts) {
  if (hello.in_ssl2_form) return true;
  if (facts.version != 0) return has_version(hello, facts.version);
  const std::set<std::uint16_t> null_suites{0x0001, 0x0002, 0x003b, 0xc006, 0xc010};
  if (facts.which == InterceptCase::WeakCipher) return has_suite(hello, {0x002f});
  return facts.which != InterceptCase::NullCipher || has_suite(hello, null_suites);
}

std::string how(const InterceptedConnection& connection, ConnectionEnd end) {
  switch (end) {
    case ConnectionEnd::Alert: {
      const auto& alert = connection.alerts.back();
      return fmt::format("the client sent the alert '{}' ({})", alert.name, alert.code);
    }
    case ConnectionEnd::CloseNotify:
      return "the client closed it by close_notify";
    case ConnectionEnd::Close:
      return "the client closed it without an alert";
    case ConnectionEnd::Reset:
      return "the client reset it";
    case ConnectionEnd::NoAgreement:
      return "client and bench found nothing that both have";
    case ConnectionEnd::Broken:
      return "the client said what TLS does not allow";
    case ConnectionEnd::Deadline:
      return "nothing came until the time was up";
    case ConnectionEnd::Bench:
      break;
  }
  return "the bench ended it";
}

bool by_client(ConnectionEnd end) { return end <= ConnectionEnd::Reset; }

InterceptOutcome not_done(const InterceptedConnection& connection, ConnectionEnd end, bool trusted_ca, std::string& why) {
  using enum InterceptOutcome;
  const auto& facts = facts_of(*connection.given);
  if (end == ConnectionEnd::NoAgreement && facts.in_negotiation && !may_offer(*connection.hello, facts))
    return why = ": it does not offer what the case asks for", RefusedInHandshake;
  if (!by_client(end)) return why = ", in the handshake", NotJudged;
  if (!connection.flaw_shown) return why = " before it had been shown the case", NotJudged;
  // handshake_failure, illegal_parameter, protocol_version, insufficient_security: none of them speaks of a certificate.
  constexpr std::array kOfNegotiation{40, 47, 70, 71};
  const bool of_negotiation = end == ConnectionEnd::Alert && std::find(kOfNegotiation.begin(), kOfNegotiation.end(),
                                                                       connection.alerts.back().code) != kOfNegotiation.end();
  if (facts.in_negotiation && !trusted_ca && !of_negotiation)
    return why = ", which can be for the bench's CA, that it has no reason to trust", NotJudged;
  return why = ", in the handshake", RefusedInHandshake;
}

}  // namespace

void judge(InterceptedConnection& connection, ConnectionEnd end, bool trusted_ca, const std::string& detail) {
  using enum InterceptOutcome;
  std::string why;
  if (!connection.given) {
    connection.outcome = NotJudged;
    why = ", before a ClientHello was there";
  } else if (!connection.data.empty()) {
    connection.outcome = SentApplicationData;
    why = fmt::format(", after {} bytes of data", connection.data.size());
  } else if (connection.handshake_done) {
    connection.outcome = by_client(end) ? RefusedAfterHandshake : end == ConnectionEnd::Deadline ? CompletedSentNothing : NotJudged;
    why = ", after the handshake and without data";
  } else {
    connection.outcome = not_done(connection, end, trusted_ca, why);
  }
  connection.cause = how(connection, end) + why + (detail.empty() ? "" : " (" + detail + ")");
}

std::string to_string(InterceptOutcome outcome) {
  constexpr std::array kNames{"never_came",
                              "refused_in_handshake",
                              "refused_after_handshake",
                              "completed_sent_nothing",
                              "sent_application_data",
                              "not_tls",
                              "not_testable",
                              "not_judged"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

}  // namespace hilcop
