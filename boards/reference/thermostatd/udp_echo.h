// SPDX-License-Identifier: Apache-2.0
// A leftover of the factory, only in a unit with its flaw: whoever sends it anything is told what it is.
#pragma once

#include <string>
#include <thread>

#include "fd.h"

namespace ht1 {

class UdpEcho {
 public:
  UdpEcho(const std::string& address, int port, std::string says);
  ~UdpEcho();
  int port() const;

 private:
  void run() const;

  Fd socket_, stop_read_, stop_write_;
  std::string says_;
  std::thread thread_;
};

}  // namespace ht1
