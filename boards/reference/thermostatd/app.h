// SPDX-License-Identifier: Apache-2.0
// All parts put together, in the order of a start; ends when it is told to, or when the device has to start anew.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "cloud.h"
#include "device.h"
#include "http_server.h"
#include "pins.h"
#include "reset.h"
#include "udp_echo.h"
#include "updater.h"

namespace ht1 {

class App {
 public:
  enum class End { Stopped, Reboot };

  explicit App(Options options);
  ~App();
  void start();
  End wait();  // for stop(), an installed update, or a reset that is over
  void stop();
  int port() const { return server_->port(); }
  int plain_port() const { return plain_ ? plain_->port() : 0; }
  int udp_port() const { return udp_ ? udp_->port() : 0; }
  Device& device() { return device_; }

 private:
  void say(const std::string& line);
  void start_recovery();
  bool reset_goes_on();
  bool erase();
  void serve();
  void keep_alive();
  void notify(bool& what);

  Device device_;
  BootMarks marks_;
  std::mutex console_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false, reboot_ = false, reset_ = false;
  Fd watchdog_;
  double api_seen_alive_;
  unsigned calls_seen_ = 0;
  // In this order: what stands lower is ended first.
  std::unique_ptr<Pins> pins_;
  std::unique_ptr<Heating> heating_;
  std::unique_ptr<Cloud> cloud_;
  std::unique_ptr<Updater> updater_;
  std::unique_ptr<UdpEcho> udp_;
  std::unique_ptr<HttpServer> server_, plain_;
};

// Asks the own API over the network, as a client would: Failure says what is not right.
void self_check(const Options& options, const Unit& unit, int port);

}  // namespace ht1
