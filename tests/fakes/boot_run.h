// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fstream>
#include <string>
#include <vector>

#include "console/boot_log.h"
#include "fakes/temp_dir.h"

namespace hilcop {

/// The events and recordings of a DUT `d` with the stages boot-loader (U-Boot) and ready (READY), written boot by boot: each
/// chunk arrives one second after the one before.
class BootRun {
 public:
  BootRun() { open(); }

  BootRun& open(std::size_t offset = 0) {
    return event(
        "d/main", "console.open",
        {{"stream", "s"}, {"file", "d-main.raw"}, {"watchers", {"stage:boot-loader", "stage:ready", "kernel-panic"}}, {"offset", offset}});
  }
  /// Another worker goes on behind what was recorded; `lost`: so many bytes were not.
  BootRun& open_again(std::size_t lost = 0) {
    raw_.resize(raw_.size() - lost);
    return open(raw_.size());
  }
  BootRun& event(const std::string& source, const std::string& kind, nlohmann::json data) {
    events_.push_back({from_ns(now_), {}, source, kind, std::move(data)});
    now_ += 1'000'000;
    return *this;
  }
  /// Power on, then what the DUT says; `waited`: somebody waited for its stages.
  BootRun& boot(const std::vector<std::string>& chunks, bool waited = true) {
    const auto begin = now_;
    event("d", "boot.begin", {{"boot", ++number_}, {"cause", "power"}, {"offset", raw_.size()}});
    std::int64_t second = 0;
    for (const auto& chunk : chunks) {
      const auto from = raw_.size();
      said(chunk, begin + ++second * 1'000'000'000);
      for (const auto& [stage, pattern] : {std::pair{"boot-loader", "U-Boot"}, std::pair{"ready", "READY"}})
        if (const auto at = chunk.find(pattern); waited && at != std::string::npos)
          event("d", "boot.stage",
                {{"boot", number_},
                 {"stage", stage},
                 {"elapsed_s", static_cast<double>(second)},
                 {"limit_s", 5.0},
                 {"within", true},
                 {"begin", from + at},
                 {"end", from + at + 5}});
    }
    return *this;
  }
  /// The bench sends something, and the DUT answers.
  BootRun& talk(const std::vector<std::string>& chunks) {
    event("d/main", "console.sent", {{"text", "x"}, {"bytes", 1}, {"offset", raw_.size()}});
    for (const auto& chunk : chunks) said(chunk, now_ + 1'000'000'000);
    return *this;
  }
  BootRun& off() { return event("d/power", "power.edge", {{"on", false}, {"offset", raw_.size()}}); }

  std::vector<BootLog> boots() {
    if (!std::exchange(written_, true)) write("d-main.raw", raw_), write("d-main.index", index_);
    auto boots = boots_of(events_, "d");
    for (auto& boot : boots) read_lines(boot, dir_.path());
    return boots;
  }
  void write_raw(const std::string& bytes) const { write("d-main.raw", bytes); }
  void write_index(const std::string& bytes) const { write("d-main.index", bytes); }
  void remove_raw() const { std::filesystem::remove(dir_ / "d-main.raw"); }

 private:
  void said(const std::string& chunk, std::int64_t at) {
    now_ = at;
    const std::int64_t record[3] = {static_cast<std::int64_t>(raw_.size()), now_, 0};
    index_.append(reinterpret_cast<const char*>(record), sizeof record);
    raw_ += chunk;
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(dir_ / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  TempDir dir_;
  std::vector<Event> events_;
  std::string raw_, index_;
  std::int64_t now_ = 1'000'000'000;
  int number_ = 0;
  bool written_ = false;
};

}  // namespace hilcop
