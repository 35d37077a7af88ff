// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

namespace hilcop {

/// The one I/O thread that reads all consoles of a process. Destroy it after its consoles.
class IoLoop {
 public:
  static std::unique_ptr<IoLoop> start();
  virtual ~IoLoop() = default;
};

}  // namespace hilcop
