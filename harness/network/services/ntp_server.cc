// SPDX-License-Identifier: Apache-2.0
#include "network/services/ntp_server.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "base/deadline.h"
#include "io/service_thread.h"
#include "network/services/hex.h"

namespace hilcop::services {
namespace {

constexpr int kDatagramsAtOnce = 64;
constexpr std::size_t kNtpExcerpt = 64;  // bytes
constexpr std::chrono::milliseconds kMostAhead = 10'000 * std::chrono::years(1);

void check_behaviour(const NtpBehaviour& behaviour, const std::string& object) {
  const auto wrong = [&](const std::string& why, const char* remedy) { return Error(ErrorKind::Config, object, why, remedy); };
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (behaviour.kiss.size() != 4 || !std::all_of(behaviour.kiss.begin(), behaviour.kiss.end(), capital))
    throw wrong("'" + behaviour.kiss + "' is no kiss of death", "use RATE, DENY, RSTR or another four capital letters");
  for (const auto ahead : {behaviour.offset, behaviour.step})
    if (ahead > kMostAhead || ahead < -kMostAhead) throw wrong("an offset of over 10,000 years", "choose a smaller one");
  if (behaviour.delay < Nanoseconds(0) || behaviour.delay > 1h) throw wrong("its delay is not between 0 and an hour", "choose one that is");
}

std::string description(const NtpBehaviour& behaviour, std::chrono::milliseconds ahead) {
  if (behaviour.kind == NtpBehaviour::Kind::KissOfDeath) return "kiss of death " + behaviour.kiss;
  const auto clock = fmt::format("the clock, {:.3f} s ahead", static_cast<double>(ahead.count()) / 1000);
  return behaviour.kind == NtpBehaviour::Kind::Stratum16 ? "not synchronized; " + clock : clock;
}

}  // namespace

std::string to_string(NtpBehaviour::Kind kind) {
  constexpr const char* kKinds[] = {"answer", "kiss_of_death", "stratum16", "silence"};
  return kKinds[static_cast<std::size_t>(kind)];
}

NtpPacket ntp_answer(const NtpPacket& request, const NtpBehaviour& behaviour, std::chrono::milliseconds ahead, UtcTime received,
                     UtcTime sent) {
  NtpPacket answer;
  answer.version = request.version;
  answer.mode = NtpMode::Server;
  answer.poll = request.poll;
  answer.precision = -20;  // about a microsecond
  answer.origin = request.transmit;
  answer.receive = NtpTime::of(received, ahead);
  answer.transmit = NtpTime::of(sent, ahead);
  switch (behaviour.kind) {
    case NtpBehaviour::Kind::KissOfDeath:
      answer.leap = 3;
      answer.stratum = 0;
      answer.reference_id = behaviour.kiss;
      break;
    case NtpBehaviour::Kind::Stratum16:
      answer.leap = 3;
      answer.stratum = 16;
      break;
    default:
      answer.stratum = 1;
      answer.reference_id = "HILC";
      answer.root_dispersion = 66;  // 1 ms
      // It was set at the last multiple of 16 s, so it is never later than the rest.
      answer.reference.value = answer.receive.value >> 36 << 36;
  }
  return answer;
}

class NtpServer::Loop {
 public:
  Loop(UniqueFd socket, Tell tell, NtpServerOptions options)
      : options_(std::move(options)),
        clock_(options_.clock != nullptr ? *options_.clock : real_clock()),
        tell_(std::move(tell)),
        socket_(std::move(socket), options_.object),
        thread_(options_.object) {
    thread_.start([this] { run(); });
  }
  ~Loop() { thread_.end(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void set(const NtpBehaviour& behaviour) {
    check_behaviour(behaviour, options_.object);
    const std::scoped_lock lock(mutex_);
    behaviour_ = behaviour;
    served_ = 0;
  }
  NtpCounts counts() const {
    const std::scoped_lock lock(mutex_);
    return counts_;
  }
  std::optional<Error> failure() const {
    const std::scoped_lock lock(mutex_);
    return failure_;
  }

 private:
  struct Work {
    NtpExchange exchange;
    NtpPacket request;
    NtpBehaviour behaviour;
    std::chrono::milliseconds ahead{0};
    Datagram datagram;  // without its bytes
  };

  void run() {
    while (step()) {
    }
    for (auto& [due, work] : delayed_) finish(work, NtpExchange::Fate::Failed, "the server ended before the answer was due");
  }

  bool step() {
    pollfd polls[] = {{thread_.end_fd(), POLLIN, 0}, {socket_.failure() ? -1 : socket_.fd(), POLLIN, 0}};
    const Deadline due(delayed_.empty() ? SteadyTime::max() : delayed_.begin()->first);
    if (::poll(polls, 2, due.poll_timeout_ms(clock_)) < 0 && errno != EINTR) {
      fail(error_from_errno(errno, options_.object, "cannot wait for its socket"));
      return false;
    }
    if (polls[0].revents != 0) return false;
    while (!delayed_.empty() && delayed_.begin()->first <= clock_.now()) {
      auto work = std::move(delayed_.extract(delayed_.begin()).mapped());
      send(work);
    }
    if (polls[1].revents != 0) receive();
    return true;
  }

  void receive() {
    for (int i = 0; i < kDatagramsAtOnce; ++i) {
      const auto datagram = socket_.receive();
      if (!datagram) break;
      serve(*datagram);
    }
    if (const auto& failure = socket_.failure()) fail(*failure);
  }

  void serve(const Datagram& datagram) {
    Work work;
    work.exchange = begin(datagram);
    work.datagram = datagram;
    work.datagram.bytes = {};
    const auto parsed = parse_ntp(datagram.bytes);
    if (auto problem = problem_of(parsed); !problem.empty()) {
      const bool control = parsed.mode == NtpMode::Control || parsed.mode == NtpMode::Private;
      work.exchange.excerpt = to_hex(datagram.bytes.substr(0, kNtpExcerpt));
      return finish(work, control ? NtpExchange::Fate::Control : NtpExchange::Fate::Malformed, problem);
    }
    work.request = parsed.packet.value_or(NtpPacket());
    work.exchange.version = work.request.version;
    work.exchange.client_clock = work.request.transmit;
    {
      const std::scoped_lock lock(mutex_);
      work.behaviour = behaviour_;
      work.ahead = behaviour_.offset + (served_ >= behaviour_.step_after ? behaviour_.step : std::chrono::milliseconds(0));
      ++served_;
    }
    if (work.behaviour.kind == NtpBehaviour::Kind::Silence) return finish(work, NtpExchange::Fate::Silent);
    if (work.behaviour.delay == Nanoseconds(0)) return send(work);
    if (delayed_.size() >= options_.delayed)
      return finish(work, NtpExchange::Fate::Failed, fmt::format("{} answers wait already", delayed_.size()));
    work.exchange.answered = description(work.behaviour, work.ahead);
    finish(work, NtpExchange::Fate::Waiting);
    delayed_.emplace(work.exchange.at + work.behaviour.delay, std::move(work));
  }

  static std::string problem_of(const NtpParse& parsed) {
    if (!parsed.packet) return parsed.problem;
    if (parsed.packet->mode != NtpMode::Client) return "mode " + to_string(parsed.packet->mode) + ", which no client has";
    if (parsed.packet->version < 2 || parsed.packet->version > 4) return fmt::format("version {}", parsed.packet->version);
    return {};
  }

  NtpExchange begin(const Datagram& datagram) {
    NtpExchange exchange;
    exchange.number = ++number_;
    exchange.at = clock_.now();
    exchange.utc = clock_.utc_now();
    exchange.client = datagram.client;
    exchange.aimed_at = datagram.local;
    exchange.size = datagram.bytes.size();
    exchange.answered = "nothing";
    if (options_.original_destination)
      if (const auto original = options_.original_destination(socket_.fd(), datagram.client, datagram.local);
          original && *original != datagram.local) {
        exchange.aimed_at = *original;
        exchange.redirected = true;
      }
    return exchange;
  }

  void send(Work& work) {
    const auto answer = ntp_answer(work.request, work.behaviour, work.ahead, work.exchange.utc, clock_.utc_now());
    if (const int failed = socket_.send(work.datagram, answer.encode()); failed != 0)
      return finish(work, NtpExchange::Fate::Failed, fmt::format("the answer could not be sent: {}", std::strerror(failed)));
    work.exchange.answered = description(work.behaviour, work.ahead);
    work.exchange.answered_at = clock_.now();
    finish(work, NtpExchange::Fate::Answered);
  }

  void finish(Work& work, NtpExchange::Fate fate, const std::string& problem = "") {
    work.exchange.fate = fate;
    work.exchange.problem = problem;
    {
      const std::scoped_lock lock(mutex_);
      using enum NtpExchange::Fate;
      if (fate == Answered) ++counts_.answered;
      if (fate == Silent) ++counts_.silent;
      if (fate == Failed) ++counts_.failed;
      if (fate == Malformed) ++counts_.malformed;
      if (fate == Control) ++counts_.control;
      counts_.requests = number_ - counts_.malformed - counts_.control;
    }
    if (tell_) tell_(work.exchange);
  }

  void fail(const Error& error) {
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = error;
  }

  const NtpServerOptions options_;
  const Clock& clock_;
  Tell tell_;
  UdpSocket socket_;
  std::uint64_t number_ = 0;
  std::multimap<SteadyTime, Work> delayed_;
  mutable std::mutex mutex_;  // for what follows
  NtpBehaviour behaviour_;
  std::uint64_t served_ = 0;  // since that was set
  NtpCounts counts_;
  std::optional<Error> failure_;
  ServiceThread thread_;  // last: it uses the others
};

NtpServer::NtpServer(UniqueFd socket, Tell tell, NtpServerOptions options)
    : loop_(std::make_unique<Loop>(std::move(socket), std::move(tell), std::move(options))) {}
NtpServer::~NtpServer() = default;
void NtpServer::set(const NtpBehaviour& behaviour) { loop_->set(behaviour); }
NtpCounts NtpServer::counts() const { return loop_->counts(); }
std::optional<Error> NtpServer::failure() const { return loop_->failure(); }

}  // namespace hilcop::services
