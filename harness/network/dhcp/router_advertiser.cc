// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/router_advertiser.h"

#include <cstring>
#include <mutex>
#include <utility>

#include "network/dhcp/router_socket.h"
#include "network/dhcp/socket_loop.h"

namespace hilcop {
namespace {

constexpr int kSolicitationsAtOnce = 64;

}  // namespace

struct RouterAdvertiser::State {
  using Kind = RouterReport::Kind;

  State(UniqueFd fd, unsigned interface, const RouterAdvertisement& says, Tell told, std::chrono::milliseconds every, const Clock& time,
        const std::string& named)
      : object(named),
        socket(std::move(fd), interface, named),
        tell(std::move(told)),
        interval(every),
        clock(time),
        next(time.now()),
        advertisement(says),
        loop(socket.fd(), {[this] { return read(); }, [this] { return due(); }}, time, named) {}

  void report(Kind kind, const Ipv6& source, std::string why, std::string link_layer = "") const {
    if (tell) tell({clock.now(), clock.utc_now(), kind, source, std::move(link_layer), std::move(why)});
  }

  bool read() {
    for (int i = 0; i < kSolicitationsAtOnce; ++i) {
      const auto datagram = socket.receive();
      if (!datagram) break;
      take(*datagram);
    }
    const std::scoped_lock lock(mutex);
    failure = socket.failure();
    return !failure;
  }

  void take(const RouterDatagram& datagram) {
    const Ipv6& source = datagram.source;
    const bool nobody = source == Ipv6{};
    const auto asked = read_router_solicitation(datagram.bytes, datagram.hop_limit, nobody);
    std::string ignored;
    {
      const std::scoped_lock lock(mutex);
      ++(asked.fault.empty() ? counts.solicitations : counts.malformed);
      const auto now = clock.now();
      if (now >= second_ends) second_ends = now + 1s, answered = 0;
      if (silent)
        ignored = "the router is made silent";
      else if (asked.fault.empty() && ++answered > kMostAnswers)
        ignored = "too many ask";
    }
    if (!asked.fault.empty()) return report(Kind::Malformed, source, asked.fault, asked.link_layer);
    report(Kind::Solicited, source, "", asked.link_layer);
    if (ignored.empty())
      advertise(nobody ? Ipv6::of("ff02::1") : source, "solicited", false);
    else
      report(Kind::Ignored, source, ignored, asked.link_layer);
  }

  bool advertise(const Ipv6& to, const char* why, bool last) {
    int error = 0;
    {
      const std::scoped_lock lock(mutex);  // also while it is sent: nothing comes after be_silent() has returned
      if (silent && !last) return true;
      auto says = advertisement;
      if (last) says.router_lifetime = 0s;
      error = socket.send(says.packet(), to);
      ++(error == 0 ? counts.sent : counts.not_sent);
    }
    report(error == 0 ? Kind::Advertised : Kind::NotSent, to, error == 0 ? why : std::strerror(error));
    return error == 0;
  }

  SteadyTime due() {
    bool says = false, last = false;
    const char* why = "periodic";
    const auto now = clock.now();
    {
      const std::scoped_lock lock(mutex);
      last = std::exchange(farewell, false);
      if (std::exchange(changed, false)) next = now, why = "changed";
      says = !silent && now >= next;
    }
    const Ipv6 everybody = Ipv6::of("ff02::1");
    if (last) advertise(everybody, "farewell", true);
    if (!says) return silent_now() ? now + 1h : next;
    next = now + (advertise(everybody, why, false) ? Nanoseconds(interval) : Nanoseconds(1s));
    return next;
  }

  bool silent_now() const {
    const std::scoped_lock lock(mutex);
    return silent;
  }

  const std::string object;
  RouterSocket socket;  // of the loop alone
  const Tell tell;
  const std::chrono::milliseconds interval;
  const Clock& clock;
  // Of the loop alone.
  int answered = 0;
  SteadyTime next, second_ends;
  mutable std::mutex mutex;  // over all below
  RouterAdvertisement advertisement;
  bool silent = false, farewell = false, changed = false;
  RouterCounts counts;
  std::optional<Error> failure;
  SocketLoop loop;
};

RouterAdvertiser::RouterAdvertiser(UniqueFd socket, unsigned interface, const RouterAdvertisement& advertisement, Tell tell,
                                   std::chrono::milliseconds interval, const Clock& clock, const std::string& object)
    : state_(std::make_unique<State>(std::move(socket), interface, advertisement, std::move(tell), interval, clock, object)) {
  advertisement.check(object);
  if (interval < 100ms) throw Error(ErrorKind::Config, object, "an interval under 100 ms", "give more");
  state_->loop.start();
}

RouterAdvertiser::~RouterAdvertiser() { state_->loop.end(); }

void RouterAdvertiser::set(const RouterAdvertisement& advertisement) {
  advertisement.check(state_->object);
  {
    const std::scoped_lock lock(state_->mutex);
    state_->advertisement = advertisement;
    state_->changed = true;
  }
  state_->loop.wake();
}

void RouterAdvertiser::be_silent(bool farewell) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->farewell = farewell && !state_->silent;
    state_->silent = true;
  }
  state_->loop.wake();
}

void RouterAdvertiser::speak() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->changed = state_->silent || state_->changed;
    state_->silent = false;
  }
  state_->loop.wake();
}

RouterCounts RouterAdvertiser::counts() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->counts;
}

std::optional<Error> RouterAdvertiser::failure() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->failure;
}

}  // namespace hilcop
