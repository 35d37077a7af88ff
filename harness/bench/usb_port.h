// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "bench/config.h"
#include "bench/roles.h"
#include "bench/usb_traffic.h"
#include "io/usb_watch.h"

namespace hilcop {

/// A UsbPort over what the bench's UsbWatch sees. Its comings and goings are events usb.arrived and usb.left, what the board file does
/// not declare usb.unexpected.
class WatchedUsbPort final : public UsbPort {
 public:
  /// `look`: makes the watch tell what changed. The board outlives this.
  WatchedUsbPort(std::string dut, UsbSelector selector, const Board& board, std::function<void()> look, EventSink& sink);
  /// From the watch. Of any device; one that is not the DUT's is none of its business.
  void changed(const UsbChange& change);

  bool present() override;
  std::vector<UsbShown> devices() override;
  UsbShown device() override;
  bool wait_present(Deadline deadline) override;
  bool wait_absent(Deadline deadline) override;
  void reset(Deadline deadline) override;
  std::vector<std::string> unexpected() override;
  std::optional<bool> gone_since(SteadyTime since, Deadline deadline) override;
  void start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) override;
  nlohmann::json stop_capture(const std::string& name) override { return traffic_.stop(name); }
  nlohmann::json sync_capture(const std::string& name, Deadline deadline) override { return traffic_.sync(name, deadline); }
  /// A comment in what is recorded.
  void mark(const std::string& text) { traffic_.mark(text); }
  const UsbOwners& owners() { return traffic_.owners(); }
  /// Before the watch ends: nothing is recorded any more.
  void close() { traffic_.close(); }

 private:
  bool is_of_dut(const UsbIdentity& id) const;
  UsbOwners::Whose whose(const UsbIdentity& id, bool first) const;
  void learn(const UsbDevice& device);
  void judge(const UsbShown& shown, SteadyTime at);
  std::string object() const { return "USB of dut '" + dut_ + "'"; }

  std::string dut_;
  UsbSelector selector_;
  std::string socket_, peer_;  // where it is plugged in; the same socket on the other half of a USB 3 hub
  const Board& board_;
  std::function<void()> look_;
  EventSink& sink_;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, UsbShown> shown_;  // by path and address
  std::optional<SteadyTime> left_;                         // the last of them
  std::vector<std::string> unexpected_;
  UsbTraffic traffic_;
};

/// What of a device its board does not declare, each a sentence; empty: nothing, or the board declares nothing.
std::vector<std::string> undeclared(const UsbShown& shown, const Board& board);

}  // namespace hilcop
