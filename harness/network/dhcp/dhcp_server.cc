// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_server.h"

#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "network/dhcp/dhcp_responder.h"
#include "network/dhcp/socket_loop.h"

namespace hilcop {
namespace {

constexpr int kDhcpAtOnce = 64;  // messages, before what is due is looked at again
constexpr std::size_t kDhcpExcerpt = 64;

std::string dhcp_excerpt(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes.substr(0, kDhcpExcerpt)) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

struct DhcpServer::State {
  struct Waiting {
    DhcpReport report;
    std::vector<DhcpReply> replies;
  };

  State(UniqueFd fd, const DhcpNetwork& network, Tell told, const Clock& time, const std::string& object, Send by)
      : tell(std::move(told)),
        clock(time),
        socket(std::move(fd), object),
        responder(network, object),
        send(std::move(by)),
        loop(socket.fd(), {[this] { return read(); }, [this] { return send_late(); }}, time, object) {
    if (!send) send = [this](std::string_view packet, const DhcpDestination& to) { return socket.send(packet, to); };
  }

  bool read() {
    for (int i = 0; i < kDhcpAtOnce; ++i) {
      const auto datagram = socket.receive();
      if (!datagram) break;
      take(*datagram);
    }
    const std::scoped_lock lock(mutex);
    counts.lost = socket.lost();
    failure = socket.failure();
    return !failure;
  }

  void take(const DhcpDatagram& datagram) {
    Waiting waiting;
    auto& report = waiting.report;
    report.steady = clock.now();
    report.utc = clock.utc_now();
    report.source = datagram.source;
    report.size = datagram.size;
    auto read = read_dhcp(datagram.bytes);
    if (datagram.size > datagram.bytes.size()) read.fault = fmt::format("{} bytes; at most {} are read", datagram.size, DhcpSocket::kMost);
    report.message = std::move(read.message);
    report.oddities = std::move(read.oddities);
    report.malformed = std::move(read.fault);
    if (!report.malformed.empty()) report.excerpt = dhcp_excerpt(datagram.bytes);
    const auto delay = decide(waiting, datagram.sent_to);
    if (delay.count() > 0 && !waiting.replies.empty() && late.size() >= kMostWaiting) {
      report.reason = "too many answers are waiting to be late";
      waiting.replies.clear();
    }
    if (delay.count() > 0 && !waiting.replies.empty())
      late.emplace(report.steady + delay, std::move(waiting));
    else
      finish(std::move(waiting));
  }

  std::chrono::milliseconds decide(Waiting& waiting, std::optional<Ipv4> sent_to) {
    auto& report = waiting.report;
    const std::scoped_lock lock(mutex);
    ++counts.received;
    if (!report.malformed.empty()) {
      ++counts.malformed;
      return {};
    }
    auto decision = responder.answer(report.message, sent_to, report.steady);
    report.situation = std::move(decision.situation);
    report.reason = std::move(decision.reason);
    report.faults = std::move(decision.faults);
    waiting.replies = std::move(decision.replies);
    return responder.faults().slow;
  }

  void finish(Waiting waiting) {
    auto& report = waiting.report;
    std::uint64_t sent = 0;
    for (auto& reply : waiting.replies) {
      const auto how = send(dhcp_packet(reply.message), reply.to);
      if (how.failure.empty()) ++sent;
      report.answers.push_back({std::move(reply.message), how.way, how.failure});
    }
    report.answered = clock.now();
    {
      const std::scoped_lock lock(mutex);
      counts.replies += sent;
      counts.not_sent += report.answers.size() - sent;
    }
    if (tell) tell(report);
  }

  SteadyTime send_late() {
    const auto now = clock.now();
    while (!late.empty() && late.begin()->first <= now) {
      auto waiting = std::move(late.begin()->second);
      late.erase(late.begin());
      finish(std::move(waiting));
    }
    return late.empty() ? now + 1h : late.begin()->first;
  }

  void give_up_late() {
    for (auto& [due, waiting] : late) {
      waiting.replies.clear();
      waiting.report.reason = "the server has ended before its late answer was due";
      finish(std::move(waiting));
    }
    late.clear();
  }

  Tell tell;
  const Clock& clock;
  DhcpSocket socket;                        // of the loop alone
  std::multimap<SteadyTime, Waiting> late;  // so is this
  mutable std::mutex mutex;                 // over all below
  DhcpResponder responder;
  DhcpCounts counts;
  std::optional<Error> failure;
  Send send;  // of the loop alone
  SocketLoop loop;
};

DhcpServer::DhcpServer(UniqueFd socket, const DhcpNetwork& network, Tell tell, const Clock& clock, const std::string& object, Send send)
    : state_(std::make_unique<State>(std::move(socket), network, std::move(tell), clock, object, std::move(send))) {
  state_->loop.start();
}

DhcpServer::~DhcpServer() {
  state_->loop.end();
  state_->give_up_late();
}

void DhcpServer::set_faults(const DhcpFaults& faults) {
  const std::scoped_lock lock(state_->mutex);
  state_->responder.set_faults(faults);
}

DhcpFaults DhcpServer::faults() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->responder.faults();
}

DhcpCounts DhcpServer::counts() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->counts;
}

std::optional<Error> DhcpServer::failure() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->failure;
}

}  // namespace hilcop
