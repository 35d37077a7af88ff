// SPDX-License-Identifier: Apache-2.0
// What the boot loader and the device tell each other: variables in a U-Boot environment blob, in two copies, of which the whole one with
// the higher SEQ counts.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ht1 {

using Variables = std::map<std::string, std::string>;

inline constexpr std::size_t kBootStateSize = 16 * 1024;
// In the partition boot-state.
inline constexpr std::size_t kBootStatePlaces[] = {0, 1 << 20};

// Nothing when the CRC does not hold or it is no list of NAME=VALUE.
std::optional<Variables> variables_from_blob(std::string_view blob);
std::string blob_of(const Variables& variables);

class BootState {
 public:
  explicit BootState(std::filesystem::path disk) : disk_(std::move(disk)) {}

  // The usual values when neither copy is whole.
  Variables read() const;
  // Reads, changes and writes under a lock: the daemon and RAUC's handler may come at once. The older copy first, each flushed.
  void change(const std::function<void(Variables&)>& edit);

  void mark_good(const std::string& slot);
  void set_primary(const std::string& slot);

 private:
  std::filesystem::path disk_;
};

}  // namespace ht1
