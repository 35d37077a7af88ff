// SPDX-License-Identifier: Apache-2.0
// The maker's cloud: registers the unit after set-up, keeps a connection to its broker, sends what the user consented to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "device.h"
#include "https_client.h"

struct mosquitto;

namespace ht1 {

class Cloud {
 public:
  explicit Cloud(Device& device);
  ~Cloud();
  void start();
  void wake();  // something was set: look again
  std::string state() const { return connected_ ? "up" : "down"; }
  // Asks the cloud to forget this unit; false when it could not be reached.
  bool erase();

 private:
  void run();
  bool wait(double seconds);  // false: stopping
  bool may_register() const;
  void register_unit();
  // Connects and stays until it breaks; true when it was up.
  bool stay_connected();
  void publish_telemetry(::mosquitto* client) const;

  Device& device_;
  std::atomic<bool> stopping_ = false, connected_ = false;
  HttpsClient https_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::uint64_t changes_ = 0, seen_ = 0;
  std::thread thread_;
};

}  // namespace ht1
