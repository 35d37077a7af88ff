// SPDX-License-Identifier: Apache-2.0
#include "bench/storage.h"

#include "base/error.h"
#include "base/interrupt.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kDiskLookAgain = 50ms;

class FoundStorage final : public Storage {
 public:
  explicit FoundStorage(StorageWays ways) : ways_(std::move(ways)) {}

  std::unique_ptr<BlockDevice> attach(Deadline deadline) override {
    if (ways_.mux) ways_.mux->set(true, deadline);
    const Deadline shown = deadline.at_most(ways_.appear);
    while (true) {
      try {
        return ways_.open(deadline);
      } catch (const Error& error) {
        // Not there yet, or still being looked at by udev: a reader takes a second to notice its card.
        const bool may_come = error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::Disconnected;
        if (!may_come || shown.expired()) throw error.while_doing("while opening storage " + ways_.source);
      }
      wait_until(shown.at_most(kDiskLookAgain));
    }
  }

  void detach(Deadline deadline) override {
    if (ways_.mux) ways_.mux->set(false, deadline);
  }

 private:
  StorageWays ways_;
};

}  // namespace

std::unique_ptr<Storage> make_storage(StorageWays ways) { return std::make_unique<FoundStorage>(std::move(ways)); }

}  // namespace hilcop
