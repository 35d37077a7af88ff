// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/event.h"
#include "bench/roles.h"
#include "io/block_device.h"

namespace hilcop {

/// A disk of a DUT that the bench can reach: its own USB mass storage, or its SD card behind a mux.
class Storage {
 public:
  virtual ~Storage() = default;
  /// Switches a mux to the host and waits for the disk, then opens it for this process alone. Throws Error, Interrupted.
  virtual std::unique_ptr<BlockDevice> attach(Deadline deadline) = 0;
  /// Gives it back to the DUT (a mux is switched there). The BlockDevice must be gone. Without a mux nothing happens.
  virtual void detach(Deadline deadline) = 0;
};

struct StorageWays {
  std::string source;  // "board1/card", for errors
  std::function<std::unique_ptr<BlockDevice>(Deadline)> open;
  Nanoseconds appear{};                // how long the disk may take to show itself
  std::unique_ptr<DigitalOutput> mux;  // asserted: the host has it; nullptr: there is none
};
std::unique_ptr<Storage> make_storage(StorageWays ways);

}  // namespace hilcop
