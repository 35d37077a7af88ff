// SPDX-License-Identifier: Apache-2.0
#include "network/process/device_port.h"

#include <utility>

#include "base/error.h"
#include "capture/recording.h"
#include "network/port/hardware_losses.h"
#include "network/port/packet_ring.h"
#include "network/port/tap.h"
#include "network/process/asked.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr unsigned kQueue = 10'000;  // frames: a tenth of a second at 100,000 a second

json figures(const WireCounts& counts) {
  const auto& frames = counts.frames;
  return {{"arrived", frames.arrived},
          {"passed", frames.passed},
          {"lost", frames.lost},
          {"duplicated", frames.duplicated},
          {"corrupted", frames.corrupted},
          {"reordered", frames.reordered},
          {"overflowed", frames.overflowed},
          {"cut", counts.cut},
          {"not_kept", counts.not_kept},
          {"not_taken", counts.not_taken}};
}

Impairment impairment_of(const json& how) {
  const auto share = [&](const char* key) { return how.value(key, 0.0); };
  const auto span = [&](const char* key) { return seconds_asked(how, key, 60, "impairment of the bench network"); };
  Impairment impairment;
  impairment.loss = share("loss");
  impairment.duplicate = share("duplicate");
  impairment.corrupt = share("corrupt");
  impairment.reorder = share("reorder");
  impairment.delay = span("delay_s");
  impairment.jitter = span("jitter_s");
  impairment.rate = how.value("rate_bit_s", std::uint64_t{0});
  impairment.queue = how.value("queue", std::size_t{1000});
  return impairment;
}

}  // namespace

DevicePort::DevicePort(const PortSetup& setup, std::string interface, Links& links, UniqueFd gateway, Outbox& outbox)
    : setup_(setup), interface_(std::move(interface)), links_(links), outbox_(outbox), captures_("network of dut '" + setup_.device + "'") {
  UniqueFd tap;
  if (setup_.interface.empty()) tap = make_tap(interface_);
  links_.set_silent(interface_);
  links_.ignore_routers(interface_);
  if (tap) links_.set_queue_length(interface_, kQueue);  // a real one goes back to this host as it was
  if (!setup_.capture.empty()) start_capture(kMainCapture, setup_.capture, setup_.capture_ring);
  wire_ = std::make_unique<Wire>(interface_, std::move(gateway));
  wire_->set_plugged(false);
  links_.set_up(interface_, true);
  const auto plug = [this](bool there) { plugged(there); };
  if (tap) {
    cable_ = std::make_unique<Cable>(std::move(tap), setup_.cable, plug);
    return;
  }
  carrier_ = std::make_unique<CarrierWatch>(interface_, [this, plug](Carrier carrier) {
    if (carrier == Carrier::Gone) gone_ = true;
    static constexpr const char* kNames[] = {"none", "there", "gone"};
    outbox_.event("carrier", real_clock().now(), real_clock().utc_now(),
                  {{"interface", interface_}, {"carrier", kNames[static_cast<int>(carrier)]}});
    plug(carrier == Carrier::There);  // the last: who hears of it by `status` has had the event
  });
}

DevicePort::~DevicePort() = default;

std::optional<Error> DevicePort::deaf() const {
  if (!gone_) return std::nullopt;
  return about(ErrorKind::Disconnected, "has lost its interface '" + interface_ + "': nothing was recorded from then on",
               "plug the adapter in, and open the bench again");
}

json DevicePort::told(const PacketRecorderStatus& status, bool with_paths) {
  auto made = figures(status, with_paths);
  if (const auto why = deaf(); why && !status.failure) made["failure"] = why->to_json();
  return made;
}

void DevicePort::plugged(bool there) {
  plugged_ = there;
  wire_->set_plugged(there);
}

Error DevicePort::about(ErrorKind kind, const std::string& cause, const std::string& remedy) const {
  return {kind, "network of dut '" + setup_.device + "'", cause, remedy};
}

void DevicePort::start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) {
  captures_.start(name, file, ring, "network of dut " + setup_.device, [this] {
    if (setup_.interface.empty()) return std::make_unique<PacketRing>(interface_);
    return std::make_unique<PacketRing>(interface_, [losses = std::make_shared<HardwareLosses>(interface_)] { return (*losses)(); });
  });
}

json DevicePort::ask_capture(const std::string& what, const json& how, Deadline deadline) {
  const std::string name = how.value("name", kMainCapture);
  if (what == "capture.start") {
    const std::string file = how.at("file");
    start_capture(name, file, capture_ring_from_json(how.value("ring", json()), "capture " + file));
    return json::object();
  }
  if (what == "capture.stop") return told(captures_.stop(name), true);
  if (what != "capture.sync") throw about(ErrorKind::Unsupported, "knows no '" + what + "'", "");
  const auto status = captures_.sync(name, deadline);
  if (const auto why = deaf()) throw Error(*why);
  return told(status, true);
}

void DevicePort::impair(const json& how) {
  const auto impairment = impairment_of(how);
  const std::string direction = how.value("direction", "both");
  if (direction != "both" && direction != "from_device" && direction != "to_device")
    throw about(ErrorKind::Config, "has no direction '" + direction + "'", "choose one of: both, from_device, to_device");
  const std::uint64_t seed = how.value("seed", std::uint64_t{1});
  // Two directions with one seed would lose the same frames of both.
  if (direction != "to_device") wire_->impair(Direction::FromDevice, impairment, seed * 2);
  if (direction != "from_device") wire_->impair(Direction::ToDevice, impairment, seed * 2 + 1);
}

json DevicePort::ask(const std::string& what, const json& how, Deadline deadline) {
  const json done = json::object();
  if (what.starts_with("capture.")) return ask_capture(what, how, deadline);
  if (what == "impair") return impair(how), done;
  if (what == "cut") return wire_->set_cut(how.at("cut")), done;
  if (what == "link" && carrier_) return links_.set_up(interface_, how.at("up")), done;  // a device at the other end sees no carrier
  throw about(ErrorKind::Unsupported, "knows no '" + what + "'", "");
}

json DevicePort::status() {
  json captures = json::object();
  for (const auto& [name, status] : captures_.status()) captures[name] = told(status, false);
  const auto counts = links_.counts(interface_);
  json hosts = json::object();
  for (const auto& host : wire_->hosts()) hosts[host.mac] = host.addresses;
  return {{"plugged", plugged_.load()},
          {"hosts", hosts},
          {"hosts_left_out", wire_->hosts_left_out()},
          {"interface", setup_.interface.empty() ? json() : json(interface_)},
          {"captures", captures},
          {"from_device", figures(wire_->counts(Direction::FromDevice))},
          {"to_device", figures(wire_->counts(Direction::ToDevice))},
          {"port_queue_dropped", counts ? counts->tx_dropped : 0}};
}

void DevicePort::stop() {
  cable_.reset();
  carrier_.reset();
  captures_.close();
}

}  // namespace hilcop
