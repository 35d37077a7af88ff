// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace hilcop {

/// How a serial line is made to misbehave on purpose, for tests of scenarios and of hilcop itself. `*_every`: mean number of
/// bytes between two faults of that kind; 0: none. The same seed and the same bytes give the same faults, however the bytes are
/// cut into reads and over how many connections.
struct LineFaults {
  std::uint64_t seed = 1;
  std::uint64_t drop_every = 0, duplicate_every = 0, corrupt_every = 0, stall_every = 0, disconnect_every = 0;
  std::chrono::milliseconds stall{200};  // how long a stall lasts
  bool from_device = true;               // what the device says
  bool to_device = false;                // what it is told; stalls and disconnects are of the whole line, by what the device says
  bool operator==(const LineFaults&) const = default;
};

/// "drop_every=5000,stall_every=20000,stall_ms=100,seed=3,direction=both". Throws Error{Config} that names the valid keys.
LineFaults parse_line_faults(const std::string& text);
nlohmann::json to_json(const LineFaults& faults);

enum class LineFaultKind { Drop, Duplicate, Corrupt, Stall, Disconnect };
std::string to_string(LineFaultKind kind);

struct LineFault {
  LineFaultKind kind;
  bool to_device;
  std::uint64_t offset;  // in what the sending side said, from 0
};

/// One direction of a faulty line: where the faults are, and what they do to bytes. Not thread-safe.
class FaultPlan {
 public:
  FaultPlan(const LineFaults& faults, bool to_device, std::function<void(const LineFault&)> told = {});

  /// Bytes that may still pass before the line stalls or breaks; 0: it does now, see take_break().
  std::uint64_t until_break() const;
  /// The stall or disconnect that is due; it is due once.
  LineFaultKind take_break();
  /// What arrives of these bytes, appended. At most until_break() bytes; at most twice as many come out.
  void pass(std::string_view bytes, std::string& out);
  std::uint64_t passed() const { return offset_; }

 private:
  static constexpr std::size_t kKinds = 5;
  std::uint64_t& next(LineFaultKind kind) { return next_[static_cast<std::size_t>(kind)]; }
  std::uint64_t next(LineFaultKind kind) const { return next_[static_cast<std::size_t>(kind)]; }
  std::uint64_t random(LineFaultKind kind);
  void draw(LineFaultKind kind);
  void tell(LineFaultKind kind) const;

  bool to_device_;
  std::function<void(const LineFault&)> told_;
  std::array<std::uint64_t, kKinds> every_{}, next_{}, state_{};
  std::uint64_t offset_ = 0;
};

}  // namespace hilcop
