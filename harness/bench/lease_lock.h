// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/deadline.h"

namespace hilcop {

/// An exclusive lease of a DUT, a console or an interface by identity, on this host: a lock on an open file in
/// runtime_dir()/leases, never the file's mere existence. Ends with this object or this process, also when a forked child of
/// the process lives on (POSIX record lock, plus a table within the process).
class LeaseLock {
 public:
  /// Error{Busy} names the holder, its pid and since when. With wait_until it queues.
  static std::unique_ptr<LeaseLock> acquire(const std::string& identity, const std::string& holder, std::optional<Deadline> wait_until);
  virtual ~LeaseLock() = default;
};

struct LeaseHolder {
  std::string holder;  // as its program calls itself: "dut board1 (hilcop run 4711)"
  int pid = 0;
  std::string since;         // UTC
  std::string text() const;  // "dut board1 (hilcop run 4711), pid 4712, since 2026-11-24T04:05:52Z"
};
/// nullopt: nobody holds it.
std::optional<LeaseHolder> lease_holder(const std::string& identity);

}  // namespace hilcop
