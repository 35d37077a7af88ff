// SPDX-License-Identifier: Apache-2.0
#include "keeper/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "base/error.h"
#include "base/log.h"

namespace hilcop {
namespace {

std::string read_boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

nlohmann::json line_for(const char* op, const ChannelKey& key) { return {{"op", op}, {"instrument", key.first}, {"channel", key.second}}; }

}  // namespace

std::string to_string(SafeState state) { return state == SafeState::On ? "on" : state == SafeState::Keep ? "keep" : "off"; }

SafeState safe_state_from_string(const std::string& name) {
  return name == "on" ? SafeState::On : name == "keep" ? SafeState::Keep : SafeState::Off;
}

Journal::Journal(std::filesystem::path file) : file_(std::move(file)), boot_id_(read_boot_id()) {
  std::ifstream lines(file_);
  for (std::string text; std::getline(lines, text);) {
    const auto line = nlohmann::json::parse(text, nullptr, false);
    if (line.is_object()) {
      try {
        apply(line);
      } catch (const nlohmann::json::exception&) {
        continue;  // a line that this version does not understand holds no lease of this version
      }
    }
  }
  try {
    rewrite();
  } catch (const Error& error) {
    // With a full disk, too, what was read must be brought to its safe state. Nothing new can be held until there is space.
    log(LogLevel::Error, "keeper: {}", error.what());
    fd_.reset(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    [[maybe_unused]] const auto n = ::write(fd_.get(), "\n", 1);
  }
}

ChannelMemory Journal::of(const ChannelKey& key) const {
  const auto found = memory_.find(key);
  return found == memory_.end() ? ChannelMemory{} : found->second;
}

void Journal::apply(const nlohmann::json& line) {
  auto& channel = memory_[{line.at("instrument").get<std::string>(), line.at("channel").get<std::string>()}];
  const std::string op = line.at("op");
  if (op == "hold") {
    channel.held = InstrumentConfig{line.at("name"), line.at("driver"), line.at("config")};
    channel.rest = {safe_state_from_string(line.at("safe_state")), line.value("inverted", false)};
  } else if (op == "safe") {
    channel.held.reset();
  } else if (op == "switched") {
    channel.switch_count = line.at("count");
    channel.inverted = line.value("inverted", false);
    channel.off_since.reset();
    // Steady time means nothing across a reboot of the host.
    if (!line.at("on").get<bool>() && line.at("boot_id") == boot_id_) channel.off_since = from_ns(line.at("steady_ns"));
  }
}

void Journal::hold(const ChannelKey& key, const InstrumentConfig& instrument, RestState rest) {
  auto line = line_for("hold", key);
  line["name"] = instrument.name;
  line["driver"] = instrument.driver;
  line["config"] = instrument.config;
  line["safe_state"] = to_string(rest.safe_state);
  line["inverted"] = rest.inverted;
  append(line, true);  // first: what is not on the disk is not held, and its switch is refused
  apply(line);
}

void Journal::safe(const ChannelKey& key) { note(line_for("safe", key)); }

void Journal::switched(const ChannelKey& key, bool on, bool inverted, SteadyTime when) {
  note_switch(key, on, inverted, when, memory_[key].switch_count + 1);
}

void Journal::found_off(const ChannelKey& key, bool inverted, SteadyTime when) {
  note_switch(key, false, inverted, when, memory_[key].switch_count);
}

void Journal::note_switch(const ChannelKey& key, bool on, bool inverted, SteadyTime when, std::uint64_t count) {
  auto line = line_for("switched", key);
  line["on"] = on;
  line["inverted"] = inverted;
  line["steady_ns"] = to_ns(when);
  line["boot_id"] = boot_id_;
  line["count"] = count;
  note(line);
}

// What has happened has happened: a full disk must not keep the keeper from knowing it. The next keeper then reads an older
// line, which at worst makes it switch off what is off.
void Journal::note(const nlohmann::json& line) {
  apply(line);
  try {
    append(line, false);
  } catch (const Error& error) {
    log(LogLevel::Error, "keeper: {}", error.what());
  }
}

void Journal::append(const nlohmann::json& line, bool sync) {
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const auto written = ::write(fd_.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    const int why = written < 0 ? errno : ENOSPC;
    // The next line must not be glued to a torn one.
    if (const auto size = ::lseek(fd_.get(), 0, SEEK_END); written > 0 && size >= written) [[maybe_unused]]
      const int cut = ::ftruncate(fd_.get(), size - written);
    throw error_from_errno(why, "journal " + file_.string(), "write");
  }
  if (sync && ::fdatasync(fd_.get()) != 0) throw error_from_errno(errno, "journal " + file_.string(), "sync");
}

void Journal::rewrite() {
  const auto part = file_.string() + ".part";
  fd_.reset(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!fd_) throw error_from_errno(errno, "journal " + part, "open");
  for (const auto& [key, channel] : memory_) {
    auto line = line_for("switched", key);
    line["on"] = !channel.off_since.has_value();
    line["inverted"] = channel.inverted;
    line["steady_ns"] = channel.off_since ? to_ns(*channel.off_since) : 0;
    line["boot_id"] = boot_id_;
    line["count"] = channel.switch_count;
    append(line, false);
    if (channel.held) {
      auto hold_line = line_for("hold", key);
      hold_line["name"] = channel.held->name;
      hold_line["driver"] = channel.held->driver;
      hold_line["config"] = channel.held->config;
      hold_line["safe_state"] = to_string(channel.rest.safe_state);
      hold_line["inverted"] = channel.rest.inverted;
      append(hold_line, false);
    }
  }
  if (::fdatasync(fd_.get()) != 0) throw error_from_errno(errno, "journal " + part, "sync");
  std::filesystem::rename(part, file_);
}

}  // namespace hilcop
