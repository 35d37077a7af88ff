// SPDX-License-Identifier: Apache-2.0
// What is secret or personal, on flash only encrypted, under a key that this unit alone can make: HKDF(fuse key, salt on flash).
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "flaws.h"

namespace ht1 {

class SealedStore {
 public:
  SealedStore(std::filesystem::path folder, std::string fuse_key, const Flaws& flaws);

  void put(const std::string& name, const std::string& value);
  // Nothing when it is not there, and nothing when it is not this unit's or was altered.
  std::optional<std::string> get(const std::string& name) const;
  void remove(const std::string& name);
  // Salt first: from then on the rest is noise, whatever happens. `step` is called before each step.
  void erase(const std::function<void(const std::string&)>& step = {});

 private:
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  void make_key();
  void erase_carelessly(const std::function<void(const std::string&)>& step);

  mutable std::mutex mutex_;
  std::filesystem::path folder_;
  std::string fuse_key_, key_;
  const Flaws& flaws_;
};

}  // namespace ht1
