// SPDX-License-Identifier: Apache-2.0
#include "cli/flash_line.h"

#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

namespace hilcop {
namespace {

constexpr Nanoseconds kRedraw = 100ms, kLine = 10s;

std::string amount(double bytes) {
  if (bytes >= 1024 * 1024) return fmt::format("{:.1f} MiB", bytes / (1024 * 1024));
  return bytes >= 1024 ? fmt::format("{:.1f} KiB", bytes / 1024) : fmt::format("{:.0f} bytes", bytes);
}

}  // namespace

std::string text_of(const FlashProgress& progress, Nanoseconds spent) {
  const auto done = static_cast<double>(progress.done), total = static_cast<double>(progress.total);
  std::string text = progress.phase + ": " + amount(done);
  if (progress.total > 0) text += fmt::format(" of {}, {:.0f} %", amount(total), 100 * done / total);
  const double seconds = std::chrono::duration<double>(spent).count();
  if (progress.done > 0 && seconds > 0) text += fmt::format(", {}/s", amount(done / seconds));
  return text;
}

FlashLine::FlashLine() : terminal_(::isatty(2) != 0) {}
FlashLine::~FlashLine() {
  if (terminal_ && !phase_.empty()) std::fprintf(stderr, "\r\x1b[K");
}

void FlashLine::take(const FlashProgress& progress) {
  const auto now = real_clock().now();
  const bool new_phase = progress.phase != phase_;
  if (new_phase) {
    phase_ = progress.phase;
    began_ = now;
  }
  const bool whole = progress.total > 0 && progress.done == progress.total;
  if (!new_phase && !whole && now - shown_ < (terminal_ ? kRedraw : kLine)) return;
  shown_ = now;
  std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", text_of(progress, now - began_).c_str());
  std::fflush(stderr);
}

}  // namespace hilcop
