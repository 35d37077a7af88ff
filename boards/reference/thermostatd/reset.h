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
// RESET in the boot state: 0, 1 asked for, 2 the daemon has done its part and the partition is to be zeroed.
class BootMarks {
 public:
  explicit BootMarks(const Options& options) : options_(options) {
    if (!options.disk.empty()) state_.emplace(options.disk);
  }
  // Asked for, or not finished by the daemon.
  bool reset_asked() const;
  void ask_reset();
  // On a board the next start zeroes the whole partition, before anybody uses it again.
  bool can_zero() const { return state_.has_value(); }
  // The daemon has erased what it can.
  void end_reset(bool zero);
  std::string min_version() const;
  // Never lowered.
  void raise_min_version(const std::string& version);
  // The least version there is to be once `least` or a later one has started well. Outlasts a reset.
  void promise_min_version(const std::string& least);
  // The version that runs has shown that it works.
  void accept(const std::string& version);
  // What the recovery installed last and nobody has seen start since.
  std::string recovered() const;
  void note_recovered(const std::string& version);
  // This slot is not started again.
  void give_up();
  // After a reset in the recovery: what is signed may be tried once more.
  void give_tries();

  void mark_good();

 private:
  std::string get(const std::string& name, const std::string& usual) const;
  void set(const std::string& name, const std::string& value);

  const Options& options_;
  std::optional<BootState> state_;
};

// Asked for on flash first, so that a cut leads to the next boot's going on with it. `forget_cloud` may fail. `step`: before each record.
// True: the device has to start anew, which zeroes the partition; what is kept until then is lost.
bool factory_reset(Device& device, BootMarks& marks, const std::function<bool()>& forget_cloud,
                   const std::function<void(const std::string&)>& step = {});

}  // namespace ht1
