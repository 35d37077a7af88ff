// SPDX-License-Identifier: Apache-2.0
#include "security_log.h"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "files.h"

namespace ht1 {
namespace {

using nlohmann::json;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

}  // namespace

SecurityLog::SecurityLog(std::filesystem::path file, const Flaws& flaws) : file_(std::move(file)), flaws_(flaws) {
  const std::string whole = read_if_there(file_).value_or("");
  const bool torn = !whole.empty() && whole.back() != '\n';
  std::istringstream text(whole);
  // A cut may have torn the last line: what is no event is left out, what comes later starts on a line of its own.
  for (std::string line; std::getline(text, line); ++written_)
    if (const auto one = json::parse(line, nullptr, false); one.is_object()) lines_.push_back(line);
  if (torn || written_ != lines_.size() || lines_.size() > kKept) {
    if (lines_.size() > kKept) lines_.erase(lines_.begin(), lines_.end() - kKept);
    write_file(file_, joined(lines_));
    written_ = lines_.size();
  }
}

SecurityLog::~SecurityLog() {
  if (!flaws_.has("log-lost-at-power-cut")) return;
  try {
    write_file(file_, joined(lines_));
  } catch (const std::exception&) {
    // It ends: there is nobody left to tell.
  }
}

void SecurityLog::add(const std::string& event, const std::string& detail) {
  if (flaws_.has("no-security-log")) return;
  const std::lock_guard lock(mutex_);
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  lines_.push_back(json{{"at", at}, {"event", event}, {"detail", detail}}.dump(-1, ' ', false, json::error_handler_t::replace));
  if (lines_.size() > kKept) lines_.erase(lines_.begin());
  if (flaws_.has("log-lost-at-power-cut")) return;
  try {
    if (written_ < 2 * kKept && !behind_) {
      append_file(file_, lines_.back() + "\n");
      ++written_;
    } else {
      write_file(file_, joined(lines_));
      written_ = lines_.size();
    }
    behind_ = false;
  } catch (const std::exception& e) {
    // What happened goes on without its line on flash; the next one that can be written brings it.
    if (!std::exchange(behind_, true)) std::fprintf(stderr, "HT-1: security log: %s\n", e.what());
  }
}

json SecurityLog::read() const {
  const std::lock_guard lock(mutex_);
  json all = json::array();
  for (const auto& line : lines_) all.push_back(json::parse(line));
  return all;
}

void SecurityLog::erase() {
  const std::lock_guard lock(mutex_);
  lines_.clear();
  written_ = 0;
  overwrite_and_remove(file_);
}

}  // namespace ht1
