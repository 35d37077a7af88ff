// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "io/unique_fd.h"

namespace hilcop {

/// Serves lines to any number of readers; what they send is ignored. A reader that does not keep up (4 MiB behind) is dropped:
/// the sender never waits. Thread-safe.
class EventSocket {
 public:
  explicit EventSocket(const std::filesystem::path& path);
  ~EventSocket();
  void send(const std::string& line);
  bool has_readers() const;

 private:
  void run();

  std::filesystem::path path_;
  UniqueFd listener_, wake_;
  mutable std::mutex mutex_;
  struct Reader {
    UniqueFd fd;
    std::string out;
  };
  std::map<int, Reader> readers_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace hilcop
