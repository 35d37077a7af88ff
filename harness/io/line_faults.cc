// SPDX-License-Identifier: Apache-2.0
#include "io/line_faults.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
constexpr double kFarthest = 1e18;  // a distance that an offset can be added to

[[noreturn]] void refuse(const std::string& word, const std::string& cause) {
  throw Error(ErrorKind::Config, "faults '" + word + "'", cause,
              "write KEY=NUMBER,... with keys of: seed, drop_every, duplicate_every, corrupt_every, stall_every, disconnect_every (mean "
              "bytes between two), stall_ms; and direction=from-device, to-device or both");
}

std::uint64_t number_of(const std::string& word, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) refuse(word, "'" + text + "' is no whole number from 0");
  return value;
}

}  // namespace

LineFaults parse_line_faults(const std::string& text) {
  LineFaults faults;
  const std::map<std::string, std::uint64_t*> keys{{"seed", &faults.seed},
                                                   {"drop_every", &faults.drop_every},
                                                   {"duplicate_every", &faults.duplicate_every},
                                                   {"corrupt_every", &faults.corrupt_every},
                                                   {"stall_every", &faults.stall_every},
                                                   {"disconnect_every", &faults.disconnect_every}};
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, comma - at);
    at = comma + 1;
    const auto equals = word.find('=');
    if (equals == std::string::npos) refuse(word, "has no '='");
    const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "direction") {
      if (value != "from-device" && value != "to-device" && value != "both") refuse(word, "is no direction");
      faults.from_device = value != "to-device";
      faults.to_device = value != "from-device";
    } else if (key == "stall_ms") {
      const auto length = number_of(word, value);
      if (length > 60'000) refuse(word, "a stall lasts at most 60000 ms");
      faults.stall = std::chrono::milliseconds(length);
    } else if (const auto found = keys.find(key); found != keys.end()) {
      *found->second = number_of(word, value);
    } else {
      refuse(word, "no such key");
    }
  }
  return faults;
}

nlohmann::json to_json(const LineFaults& faults) {
  return {{"seed", faults.seed},
          {"drop_every", faults.drop_every},
          {"duplicate_every", faults.duplicate_every},
          {"corrupt_every", faults.corrupt_every},
          {"stall_every", faults.stall_every},
          {"stall_ms", faults.stall.count()},
          {"disconnect_every", faults.disconnect_every},
          {"direction", !faults.to_device    ? "from-device"
                        : faults.from_device ? "both"
                                             : "to-device"}};
}

std::string to_string(LineFaultKind kind) {
  constexpr std::array names{"drop", "duplicate", "corrupt", "stall", "disconnect"};
  return names.at(static_cast<std::size_t>(kind));
}

FaultPlan::FaultPlan(const LineFaults& faults, bool to_device, std::function<void(const LineFault&)> told)
    : to_device_(to_device), told_(std::move(told)) {
  const bool bytes = to_device ? faults.to_device : faults.from_device;
  if (bytes) every_ = {faults.drop_every, faults.duplicate_every, faults.corrupt_every};
  if (!to_device) every_[3] = faults.stall_every, every_[4] = faults.disconnect_every;
  for (std::size_t i = 0; i < kKinds; ++i) {
    state_[i] = faults.seed * 0x9e3779b97f4a7c15u + (i + 1) * 0xd1b54a32d192ed03u + (to_device ? 1 : 0);
    draw(static_cast<LineFaultKind>(i));
  }
}

// splitmix64 (Steele, Lea, Flood 2014): the same numbers everywhere, which std's distributions do not promise.
std::uint64_t FaultPlan::random(LineFaultKind kind) {
  std::uint64_t z = state_[static_cast<std::size_t>(kind)] += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

// Distances as of independent faults: exponential.
void FaultPlan::draw(LineFaultKind kind) {
  const auto every = every_[static_cast<std::size_t>(kind)];
  if (every == 0) {
    next(kind) = kNever;
    return;
  }
  const double unit = (static_cast<double>(random(kind) >> 11) + 1) * 0x1p-53;
  const double distance = std::min(-std::log(unit) * static_cast<double>(every), kFarthest);
  next(kind) = offset_ + 1 + static_cast<std::uint64_t>(distance);
}

void FaultPlan::tell(LineFaultKind kind) const {
  if (told_) told_({kind, to_device_, offset_});
}

std::uint64_t FaultPlan::until_break() const { return std::min(next(LineFaultKind::Stall), next(LineFaultKind::Disconnect)) - offset_; }

LineFaultKind FaultPlan::take_break() {
  const auto kind = next(LineFaultKind::Stall) <= next(LineFaultKind::Disconnect) ? LineFaultKind::Stall : LineFaultKind::Disconnect;
  tell(kind);
  draw(kind);
  return kind;
}

void FaultPlan::pass(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const std::uint64_t event = std::min({next(LineFaultKind::Drop), next(LineFaultKind::Duplicate), next(LineFaultKind::Corrupt)});
    const auto plain = std::min<std::uint64_t>(bytes.size(), event - offset_);
    out += bytes.substr(0, plain);
    bytes.remove_prefix(plain);
    offset_ += plain;
    if (bytes.empty()) return;
    char byte = bytes[0];
    int copies = 1;
    for (const auto kind : {LineFaultKind::Corrupt, LineFaultKind::Duplicate, LineFaultKind::Drop}) {
      if (next(kind) != offset_) continue;
      // One bit, as on a line with noise; never none.
      if (kind == LineFaultKind::Corrupt) byte = static_cast<char>(byte ^ 1 << (random(kind) & 7));
      if (kind == LineFaultKind::Duplicate) copies = 2;
      if (kind == LineFaultKind::Drop) copies = 0;
      tell(kind);
      draw(kind);
    }
    out.append(static_cast<std::size_t>(copies), byte);
    bytes.remove_prefix(1);
    ++offset_;
  }
}

}  // namespace hilcop
