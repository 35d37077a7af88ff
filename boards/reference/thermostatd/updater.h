// SPDX-License-Identifier: Apache-2.0
// Looks for updates after set-up and periodically, installs them by itself unless the user has said no.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "device.h"
#include "https_client.h"
#include "reset.h"
#include "update_metadata.h"

namespace ht1 {

class Updater {
 public:
  // `reboot` is called once when a new version is installed.
  Updater(Device& device, BootMarks& marks, std::function<void()> reboot);
  ~Updater();
  void start();
  void wake();
  void check_now();
  void install_now();
  nlohmann::json status() const;
  bool busy() const;

 private:
  void run();
  void check();
  bool was_tried() const;
  void install();
  void say(const std::string& state);
  void load(const UpdateMetadata& offered, const std::filesystem::path& file);

  Device& device_;
  BootMarks& marks_;
  std::function<void()> reboot_;
  std::atomic<bool> stopping_ = false;
  HttpsClient https_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool check_asked_ = false, install_asked_ = false, changed_ = false;
  std::string state_ = "idle", refused_;  // refused_: the SHA-256 of what the installer has refused
  std::optional<UpdateMetadata> available_;
  std::thread thread_;
};

}  // namespace ht1
