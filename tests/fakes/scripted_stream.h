// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fnmatch.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/byte_stream.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A device that follows a transcript: says its lines, hears ours in order. Anything else that it hears, and what is left of the
/// transcript when it goes, fails the test. In what it says, $1 is the last word that it heard.
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
  /// A whole line without its line end, as a shell pattern (fnmatch).
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
    if (steps_.empty() || ::fnmatch(steps_.front().text.c_str(), line.c_str(), 0) != 0) {
      ADD_FAILURE() << "heard '" << line << "', but the transcript has " << (steps_.empty() ? "ended" : "'" + steps_.front().text + "'");
      return;
    }
    last_word_ = line.substr(line.rfind(' ') + 1);
    steps_.pop_front();
    advance();
  }
  std::string with_last_word(std::string text) const {
    for (std::size_t at = 0; (at = text.find("$1", at)) != std::string::npos; at += last_word_.size()) text.replace(at, 2, last_word_);
    return text;
  }
  void advance() {
    const auto before = said_.size();
    for (; !steps_.empty() && !steps_.front().heard; steps_.pop_front()) said_ += with_last_word(steps_.front().text);
    const std::uint64_t one = 1;
    if (said_.size() > before) [[maybe_unused]]
      const auto n = ::write(ready_.get(), &one, sizeof one);
  }

  std::string name_ = "scripted";
  UniqueFd ready_;
  std::deque<Step> steps_;
  std::string said_, line_, last_word_;
};

}  // namespace hilcop
