// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/byte_stream.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A device that follows a transcript: says its lines, hears ours in order. Anything else that it hears, and what is left of the
/// transcript when it goes, fails the test. In what it says, $1 is the group that it heard last.
class ScriptedStream final : public ByteStream {
 public:
  ScriptedStream() : ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~ScriptedStream() override {
    for (const auto& step : steps_) ADD_FAILURE() << "left of the transcript: " << (step.heard ? "hears " : "says ") << step.text;
  }

  ScriptedStream& says(std::string text) {
    steps_.push_back({false, std::move(text)});
    advance();
    return *this;
  }
  /// A whole line, as a regular expression, without its line end.
  ScriptedStream& hears(std::string line) {
    steps_.push_back({true, std::move(line)});
    return *this;
  }

  const std::string& name() const override { return name_; }
  int fd() const override { return ready_.get(); }
  std::size_t read_some(std::span<std::byte> into) override {
    const auto n = std::min(into.size(), said_.size());
    std::memcpy(into.data(), said_.data(), n);
    said_.erase(0, n);
    std::uint64_t count = 0;
    if (said_.empty()) [[maybe_unused]]
      const auto drained = ::read(ready_.get(), &count, sizeof count);
    return n;
  }
  std::size_t write_some(std::span<const std::byte> bytes) override {
    for (const auto byte : bytes) {
      if (byte != std::byte{'\n'}) {
        line_ += static_cast<char>(byte);
        continue;
      }
      hear(std::exchange(line_, {}));
    }
    return bytes.size();
  }
  void check_present() override {}
  void set_line(ModemLine, bool) override { throw Error(ErrorKind::Unsupported, name_, "has no modem lines"); }
  void send_break(std::chrono::milliseconds) override { throw Error(ErrorKind::Unsupported, name_, "has no break"); }
  std::optional<LineCounters> line_counters() override { return std::nullopt; }

 private:
  struct Step {
    bool heard;
    std::string text;
  };
  void hear(const std::string& line) {
    std::smatch match;
    if (steps_.empty() || !std::regex_match(line, match, std::regex(steps_.front().text))) {
      ADD_FAILURE() << "heard '" << line << "', but the transcript has " << (steps_.empty() ? "ended" : "'" + steps_.front().text + "'");
      return;
    }
    if (match.size() > 1) group_ = match[1];
    steps_.pop_front();
    advance();
  }
  void advance() {
    const auto before = said_.size();
    for (; !steps_.empty() && !steps_.front().heard; steps_.pop_front())
      said_ += std::regex_replace(steps_.front().text, std::regex("\\$1"), group_);
    const std::uint64_t one = 1;
    if (said_.size() > before) [[maybe_unused]]
      const auto n = ::write(ready_.get(), &one, sizeof one);
  }

  std::string name_ = "scripted";
  UniqueFd ready_;
  std::deque<Step> steps_;
  std::string said_, line_, group_;
};

}  // namespace hilcop
