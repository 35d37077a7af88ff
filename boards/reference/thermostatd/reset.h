// SPDX-License-Identifier: Apache-2.0
// What the device notes beside its software: tries of a slot, anti-rollback, a factory reset that is not over. And that reset.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "boot_state.h"
#include "device.h"

namespace ht1 {

// In the boot state; without a disk in a file of the data folder.
class BootMarks {
 public:
  explicit BootMarks(const Options& options) : options_(options) {
    if (!options.disk.empty()) state_.emplace(options.disk);
  }
  bool reset_asked() const;
  void ask_reset(bool asked);
  std::string min_version() const;
  // Never lowered.
  void raise_min_version(const std::string& version);
  void mark_good();
  // This slot is not started again.
  void give_up();
  // After a reset in the recovery: what is signed may be tried once more.
  void give_tries();

 private:
  const Options& options_;
  std::optional<BootState> state_;
};

// Asked for on flash first, so that a cut leads to the next boot's going on with it. `forget_cloud` may fail. `step`: before each record.
void factory_reset(Device& device, BootMarks& marks, const std::function<bool()>& forget_cloud,
                   const std::function<void(const std::string&)>& step = {});

}  // namespace ht1
