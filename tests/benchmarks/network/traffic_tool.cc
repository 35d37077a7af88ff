// SPDX-License-Identifier: Apache-2.0
// For network/capture.py and network/wire.py: a network of its own (under unshare), whose port is a tap that this program floods. Commands
// are lines of standard input; each is answered by a line of JSON.
//   record FILE          hilcop's recorder at the port
//   wire                 hilcop's wire between the port and a gateway
//   flood SECONDS SIZE RATE
//   stop                 what was recorded, or what came out at the gateway
#include <sys/resource.h>
#include <unistd.h>

#include <iostream>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "capture/packet_recorder.h"
#include "network/port/links.h"
#include "network/port/packet_ring.h"
#include "network/port/tap.h"
#include "network/wire/wire.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr const char *kPort = "port", *kGateway = "gateway";

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

double processor(int who) {
  rusage used{};
  getrusage(who, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

class Rig {
 public:
  Rig() : port_(make_tap(kPort)) {
    links_.set_queue_length(kPort, 10'000);
    links_.set_silent(kPort);
    links_.set_up(kPort, true);
  }

  json record(const std::string& file) {
    recorder_ = std::make_unique<PacketRecorder>(std::make_unique<PacketRing>(kPort), std::make_unique<PcapngWriter>(file, "bench"));
    begin();  // its ring of 64 MiB is made once for each capture, not for each packet
    return json::object();
  }

  json wire() {
    begin();
    auto gateway = make_tap(kGateway);
    links_.set_queue_length(kGateway, 10'000);
    links_.set_silent(kGateway);
    links_.set_up(kGateway, true);
    wire_ = std::make_unique<Wire>(kPort, std::move(gateway));
    came_ = links_.counts(kGateway)->rx_packets;
    return json::object();
  }

  // As many as the rate asks for by now, so that a late millisecond is made up for.
  json flood(double span, std::size_t size, double rate) {
    std::vector<std::byte> frame(size, std::byte{0x55});
    std::fill_n(frame.begin(), 6, std::byte{0xff});
    frame[6] = std::byte{0x02};
    frame[12] = std::byte{0x88};  // of experiments (IEEE 802), so that no stack answers
    frame[13] = std::byte{0xb5};
    const auto cpu = processor(RUSAGE_THREAD);
    const auto start = real_clock().now();
    std::uint64_t sent = 0, refused = 0;
    for (auto now = start; now < start + Nanoseconds(static_cast<std::int64_t>(span * 1e9)); now = real_clock().now()) {
      const auto due = std::min(static_cast<std::uint64_t>(seconds(now - start) * rate) + 1, sent + refused + 64);
      while (sent + refused < due)
        ++(::write(port_.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()) ? sent : refused);
    }
    flooding_ += processor(RUSAGE_THREAD) - cpu;
    return {{"sent", sent}, {"refused", refused}, {"seconds", seconds(real_clock().now() - start)}};
  }

  json stop() {
    json result = json::object();
    if (recorder_) {
      const auto status = recorder_->stop();
      result = {{"packets", status.packets}, {"dropped", status.dropped}};
      recorder_.reset();
    }
    if (wire_) {
      // All that it has taken has gone on once nothing more comes out.
      auto came = links_.counts(kGateway)->rx_packets;
      for (auto last = came + 1; came != last; came = links_.counts(kGateway)->rx_packets) {
        last = came;
        real_clock().sleep_until(real_clock().now() + 200ms);
      }
      const auto counts = wire_->counts(Direction::FromDevice);
      result = {{"came", came - came_}, {"not_kept", counts.not_kept}, {"not_taken", counts.not_taken}};
      wire_.reset();
    }
    result["processor_s"] = processor(RUSAGE_SELF) - began_ - flooding_;
    return result;
  }

 private:
  void begin() {
    began_ = processor(RUSAGE_SELF);
    flooding_ = 0;
  }

  Links links_;
  UniqueFd port_;
  std::unique_ptr<PacketRecorder> recorder_;
  std::unique_ptr<Wire> wire_;
  std::uint64_t came_ = 0;
  double began_ = 0, flooding_ = 0;
};

}  // namespace
}  // namespace hilcop

int main() {
  try {
    hilcop::Rig rig;
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string command, file;
      double span = 0, rate = 0;
      std::size_t size = 0;
      words >> command;
      if (command == "record" && words >> file)
        std::cout << rig.record(file) << std::endl;
      else if (command == "wire")
        std::cout << rig.wire() << std::endl;
      else if (command == "flood" && words >> span >> size >> rate && size >= 60)
        std::cout << rig.flood(span, size, rate) << std::endl;
      else if (command == "stop")
        std::cout << rig.stop() << std::endl;
      else
        throw std::runtime_error("no command: " + line);
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
