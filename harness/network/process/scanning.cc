// SPDX-License-Identifier: Apache-2.0
#include "network/process/scanning.h"

#include "base/error.h"
#include "network/process/asked.h"
#include "network/process/tools.h"
#include "network/scan/tcp_scan.h"
#include "network/scan/udp_scan.h"
#include "network/services/hex.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr double kMostSeconds = 36'000;

Error senseless(const std::string& cause, const std::string& remedy) {
  return {ErrorKind::Config, "scan of the bench network", cause, remedy};
}

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

// "1-21,23": as nmap writes them; numbers in their order.
std::string ranges(const std::vector<int>& ports) {
  std::string text;
  for (std::size_t i = 0; i < ports.size();) {
    auto last = i;
    while (last + 1 < ports.size() && ports[last + 1] == ports[last] + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(ports[i]) + (last > i ? "-" + std::to_string(ports[last]) : "");
    i = last + 1;
  }
  return text;
}

std::string bytes_of(const std::string& hex) {
  if (hex.size() % 2 != 0 || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    throw senseless("'" + hex.substr(0, 40) + "' is no hexadecimal text", "give two digits for each byte");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

Deadline limit_of(const json& how, double otherwise) {
  return Deadline::in(how.contains("limit_s") ? seconds_asked(how, "limit_s", kMostSeconds, "scan of the bench network", 0.1)
                                              : Nanoseconds(static_cast<std::int64_t>(otherwise * 1e9)));
}

json figures(const ScanHeartbeat& heartbeat) {
  return {{"kind", heartbeat.kind.empty() ? json() : json(heartbeat.kind)},
          {"beats", heartbeat.beats},
          {"missed", heartbeat.missed},
          {"at_rest_s", seconds(heartbeat.at_rest)},
          {"median_s", seconds(heartbeat.median)},
          {"worst_s", seconds(heartbeat.worst)},
          {"slowest_rate", heartbeat.slowest_rate},
          {"held_s", seconds(heartbeat.held)}};
}

json figures(const PortWatchFigures& watched) {
  const auto at = [](const std::optional<SteadyTime>& when) { return when ? json(to_ns(*when)) : json(); };
  json ports = json::array();
  for (const auto& [key, port] : watched.ports)
    ports.push_back({{"address", key.first},
                     {"port", key.second},
                     {"asked", port.asked},
                     {"answered", port.answered},
                     {"open", port.open},
                     {"first_open_ns", at(port.first_open)},
                     {"last_open_ns", at(port.last_open)},
                     {"first_answered_ns", at(port.first_answered)},
                     {"last_answered_ns", at(port.last_answered)}});
  return {{"ports", ports},
          {"rounds", watched.rounds},
          {"longest_gap_s", seconds(watched.longest_gap)},
          {"failure", watched.failure.empty() ? json() : json(watched.failure)}};
}

}  // namespace

class Scanning::Turn {
 public:
  explicit Turn(std::atomic<bool>& taken) : taken_(taken) {
    if (taken_.exchange(true))
      throw Error(ErrorKind::Busy, "bench network", "scans the device already", "wait for that scan: two at once disturb each other");
  }
  ~Turn() { taken_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<bool>& taken_;
};

Scanning::Scanning(std::string interface, const LanHosts& hosts, Outbox& outbox)
    : interface_(std::move(interface)), hosts_(hosts), outbox_(outbox) {}

std::string Scanning::address_of(const json& how) const {
  if (const std::string given = how.value("address", ""); !given.empty()) return given;
  const auto leases = hosts_.leases(how.value("device", ""));
  if (leases.size() == 1) return leases.begin()->second;
  throw Error(ErrorKind::NotFound, "scan of the bench network",
              leases.empty() ? "no device has taken an address" : "several devices have taken addresses",
              leases.empty() ? "wait until it has (network.address()), or give one" : "say which address");
}

json Scanning::tcp(const json& how) {
  const Turn turn(scanning_);
  TcpScanOptions options;
  options.address = address_of(how);
  options.interface = interface_;
  options.ports = how.value("ports", std::vector<int>());
  options.rate = how.value("rate", options.rate);
  options.tries = how.value("tries", options.tries);
  options.seed = how.value("seed", options.seed);
  if (how.contains("answer_within_s")) options.answer_within = seconds_asked(how, "answer_within_s", 30, "TCP scan", 0.01);
  outbox_.event("scan", real_clock().now(), real_clock().utc_now(),
                {{"what", "tcp"}, {"address", options.address}, {"rate", options.rate}});
  const auto result = scan_tcp(options, limit_of(how, 600));
  json open = json::array();
  for (const auto& port : result.open) open.push_back({{"port", port.port}, {"confirmed", port.confirmed}});
  return {{"address", options.address},
          {"open", open},
          {"closed", result.closed},
          {"filtered", ranges(result.filtered)},
          {"filtered_count", result.filtered.size()},
          {"not_known", ranges(result.not_known)},
          {"not_known_count", result.not_known.size()},
          {"incomplete", result.incomplete.empty() ? json() : json(result.incomplete)},
          {"probes", result.probes},
          {"took_s", seconds(result.took)},
          {"heartbeat", figures(result.heartbeat)}};
}

json Scanning::udp(const json& how) {
  const Turn turn(scanning_);
  UdpScanOptions options;
  options.address = address_of(how);
  options.interface = interface_;
  options.tries = how.value("tries", options.tries);
  if (how.contains("answer_within_s")) options.answer_within = seconds_asked(how, "answer_within_s", 30, "UDP scan", 0.01);
  if (how.value("known", true)) options.payloads = udp_payloads();
  for (const auto& payload : how.value("payloads", json::array()))
    options.payloads.push_back({payload.at("service"), payload.at("port"), bytes_of(payload.at("hex").get<std::string>())});
  outbox_.event("scan", real_clock().now(), real_clock().utc_now(), {{"what", "udp"}, {"address", options.address}});
  const auto result = scan_udp(options, limit_of(how, 60));
  json ports = json::array();
  for (const auto& port : result.ports)
    ports.push_back({{"service", port.service},
                     {"port", port.port},
                     {"state", name_of(port.state)},
                     {"from_port", port.from_port},
                     {"answer_hex", services::to_hex(port.answer)},
                     {"answer_bytes", port.size}});
  return {{"address", options.address}, {"ports", ports}, {"complete", result.complete}};
}

json Scanning::tool(const json& how) {
  const Turn turn(scanning_);
  const auto address = address_of(how);
  outbox_.event("scan", real_clock().now(), real_clock().utc_now(), {{"what", how.at("tool")}, {"address", address}});
  return run_tool(how, address, interface_, limit_of(how, 300));
}

void Scanning::watch(const json& how) {
  if (watch_) throw Error(ErrorKind::Busy, "bench network", "watches ports already", "stop that watch first");
  PortWatchOptions options;
  options.ports = how.at("ports").get<std::vector<int>>();
  options.interface = interface_;
  if (how.contains("every_s")) options.every = seconds_asked(how, "every_s", 60, "watch of ports", 0.01);
  options.addresses = [this, given = how.value("addresses", std::vector<std::string>()), device = how.value("device", "")] {
    return given.empty() ? hosts_.addresses(device) : given;
  };
  watch_ = std::make_unique<PortWatch>(std::move(options), [this](const PortChange& change) {
    outbox_.event("port", change.asked, change.utc, {{"address", change.address}, {"port", change.port}, {"state", name_of(change.state)}});
  });
}

const PortWatch& Scanning::watching() const {
  if (!watch_) throw Error(ErrorKind::NotFound, "bench network", "watches no ports", "begin with watch_ports.start");
  return *watch_;
}

json Scanning::watched() const { return figures(watching().figures()); }

json Scanning::stop_watching() {
  watching();
  auto result = figures(watch_->stop());
  watch_.reset();
  return result;
}

}  // namespace hilcop
