// SPDX-License-Identifier: Apache-2.0
#include "network/process/serve.h"

#include <csignal>
#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/unix_socket.h"
#include "network/port/namespace.h"
#include "network/process/bench_network.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::chrono::hours kForever{24 * 365};
constexpr std::chrono::seconds kToSend{10};

json answer_to(const json& request, std::unique_ptr<BenchNetwork>& network) {
  try {
    const std::string what = request.at("op");
    const json how = request.value("how", json::object());
    if (what == "setup") {
      network = std::make_unique<BenchNetwork>(network_setup_from_json(how));
      return {{"id", request.at("id")}, {"ok", true}, {"result", json::object()}};
    }
    if (!network) throw Error(ErrorKind::Protocol, "bench network", "was not set up", "");
    const Deadline deadline(from_ns(request.at("deadline_ns")));
    return {{"id", request.at("id")}, {"ok", true}, {"result", network->ask(what, how, deadline)}};
  } catch (const Error& error) {
    return {{"id", request.value("id", json())}, {"ok", false}, {"error", error.to_json()}};
  } catch (const json::exception& error) {
    const Error wrong(ErrorKind::Protocol, "bench network", std::string("was asked what it does not understand: ") + error.what());
    return {{"id", request.value("id", json())}, {"ok", false}, {"error", wrong.to_json()}};
  }
}

}  // namespace

int serve_network(int control) {
  std::signal(SIGPIPE, SIG_IGN);  // a capture's reader that went away is an error of that capture
  JsonLines lines(UniqueFd(control), "who started it");
  std::unique_ptr<BenchNetwork> network;
  try {
    enter_network_namespace();
  } catch (const Error& error) {
    lines.send({{"event", "failed"}, {"data", error.to_json()}}, Deadline::in(kToSend));
    return 3;
  }
  try {
    for (;;)
      if (const auto request = lines.receive(Deadline::in(kForever))) lines.send(answer_to(*request, network), Deadline::in(kToSend));
  } catch (const Interrupted&) {
    return 0;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Disconnected) return 0;  // whoever started it has closed, or died
    throw;
  }
}

}  // namespace hilcop
