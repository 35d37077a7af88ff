// SPDX-License-Identifier: Apache-2.0
#include "bench/marking_sink.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace hilcop {

namespace {

// What is done to a device. What the network tells of the device (network.dhcp) is in the packets themselves.
constexpr std::array<std::string_view, 9> kStimuli{"power.edge", "power.adjust", "button.press", "button.release", "network.scan",
                                                   "output.set", "usb.reset",    "network.link", "network.change"};

bool is_stimulus(std::string_view kind) {
  for (const auto known : kStimuli)
    if (kind == known) return true;
  return false;
}

std::string text_of(const Event& event) {
  std::string text = fmt::format("{} {} at {}", event.source, event.kind, to_iso8601(event.utc));
  for (const char* key : {"on", "asserted", "up", "what", "how"})
    if (event.data.contains(key)) text += fmt::format(" {}={}", key, event.data[key].dump());
  return text;
}

}  // namespace

void MarkingSink::add_mark(const std::string& dut, Mark mark) {
  const std::scoped_lock lock(mutex_);
  marks_.emplace(dut, std::move(mark));
}

void MarkingSink::clear_marks(const std::string& dut) {
  const std::scoped_lock lock(mutex_);
  marks_.erase(dut);
}

void MarkingSink::emit(Event event) {
  if (is_stimulus(event.kind)) {
    const std::scoped_lock lock(mutex_);
    const auto [first, end] = marks_.equal_range(event.source.substr(0, event.source.find('/')));
    for (auto it = first; it != end; ++it) it->second(text_of(event));
  }
  sink_.emit(std::move(event));
}

}  // namespace hilcop
