// SPDX-License-Identifier: Apache-2.0
// From a timeline to the boots that it tells of.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "console/boot_log.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr std::string_view kStage = "stage:";

Nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(std::clamp(seconds, 0.0, 1e8)));
}

struct Seen {
  std::string name;
  SteadyTime at;
  ByteSpan span;
};

class BootMaker {
 public:
  explicit BootMaker(std::string dut) : dut_(std::move(dut)) {}

  void take(const Event& event) {
    now_ = event.steady;
    try {
      if (event.kind == "bench.open") noise_of(event.data);
      if (event.source == dut_ + "/main") about_console(event);
      if (event.source == dut_ + "/power" && event.kind == "power.edge") about_power(event.data);
      if (event.source == dut_ && event.kind.starts_with("boot.")) about_boot(event);
    } catch (const json::exception&) {
      if (boot_) boot_->damage.push_back("the timeline has a " + event.kind + " that cannot be read");
    }
  }

  std::vector<BootLog> finish() {
    close(BootLog::Ending::Open, UINT64_MAX);
    limits();
    return std::move(boots_);
  }

 private:
  void noise_of(const json& data) {
    const auto& duts = data.at("duts");
    if (duts.contains(dut_)) noise_ = duts.at(dut_).value("boot_noise", std::vector<std::string>{});
  }

  void about_console(const Event& event) {
    const auto& d = event.data;
    if (event.kind == "console.open") {
      const auto offset = d.value("offset", std::uint64_t{0});  // that of a recording that goes on
      close(BootLog::Ending::Open, offset > 0 ? offset : UINT64_MAX);
      file_ = std::filesystem::path(d.value("file", "")).filename().string();
      for (auto& boot : boots_)
        if (boot.file == file_ && !file_.empty() && boot.span.begin >= offset)
          boot.damage.push_back("its recording was written over by a later worker"), boot.file.clear();
      declared_.clear();
      for (const auto& watcher : d.value("watchers", std::vector<std::string>{}))
        if (watcher.starts_with(kStage)) declared_.push_back(watcher.substr(kStage.size()));
    }
    if (event.kind == "console.gap") about_gap(d);
    if (!boot_) return;
    if (event.kind == "console.sent") sent_.emplace_back(event.steady, d.at("offset").get<std::uint64_t>());
    if (event.kind == "console.watch" && d.at("watcher").get<std::string>().starts_with(kStage))
      seen_.push_back({d.at("watcher").get<std::string>().substr(kStage.size()),
                       event.steady,
                       {d.at("begin").get<std::uint64_t>(), d.at("end").get<std::uint64_t>()}});
  }

  // Counters are looked at now and then: what was lost at the end of a boot may be told when that boot is over.
  void about_gap(const json& d) {
    const Gap gap{d.at("cause").get<std::string>(), d.at("offset").get<std::uint64_t>(), from_ns(d.value("begin_ns", 0LL)),
                  from_ns(d.value("end_ns", 0LL)), d.value("detail", "")};
    if (boot_) boot_->gaps.push_back(gap);
    if (!boots_.empty() && boots_.back().file == file_ && (gap.offset < boots_.back().span.end || gap.begin < ended_))
      boots_.back().gaps.push_back(gap);
  }

  void about_power(const json& d) {
    if (!boot_ || d.at("on").get<bool>()) return;
    const auto& offset = d.at("offset");
    close(BootLog::Ending::Cut, offset.is_null() ? UINT64_MAX : offset.get<std::uint64_t>());
  }

  void about_boot(const Event& event) {
    const auto& d = event.data;
    if (event.kind == "boot.begin") {
      const auto offset = d.at("offset").get<std::uint64_t>();
      close(BootLog::Ending::Cut, offset);
      boot_.emplace();
      boot_->dut = dut_;
      boot_->number = d.at("boot").get<int>();
      boot_->cause = d.value("cause", "");
      boot_->begin = event.steady;
      boot_->file = file_;
      boot_->span = {offset, UINT64_MAX};
      boot_->declared = declared_;
      boot_->noise = noise_;
      sent_.clear(), seen_.clear(), stalled_ = false;
      return;
    }
    if (!boot_ || d.at("boot").get<int>() != boot_->number) return;
    if (event.kind == "boot.stage")
      boot_->stages.push_back({d.at("stage").get<std::string>(),
                               from_seconds(d.at("elapsed_s").get<double>()),
                               from_seconds(d.at("limit_s").get<double>()),
                               d.at("within").get<bool>(),
                               {d.at("begin").get<std::uint64_t>(), d.at("end").get<std::uint64_t>()}});
    if (event.kind == "boot.late") stalled_ = !d.value("missing", "").empty();
  }

  void close(BootLog::Ending ending, std::uint64_t end) {
    if (!boot_) return;
    auto boot = *std::exchange(boot_, std::nullopt);
    boot.span.end = std::max(end, boot.span.begin);
    // The stages that nobody waited for were seen by their watchers all the same, and count in their order.
    auto from = boot.stages.empty() ? boot.span.begin : boot.stages.back().span.end;
    for (const auto& seen : seen_) {
      if (boot.complete() || seen.name != boot.missing() || seen.span.begin < from) continue;
      boot.stages.push_back({seen.name, std::max(Nanoseconds{}, seen.at - boot.begin), {}, true, seen.span});
      from = seen.span.end;
    }
    boot.ending = boot.complete() ? BootLog::Ending::Ready : stalled_ ? BootLog::Ending::Stalled : ending;
    boot.watched_until = ended_ = now_;
    if (boot.complete()) {
      const auto ready = boot.stages.back().span.end;
      const auto talk = std::find_if(sent_.begin(), sent_.end(), [&](const auto& sent) { return sent.second >= ready; });
      if (talk != sent_.end()) std::tie(boot.watched_until, boot.talk_from) = *talk;
    }
    boots_.push_back(std::move(boot));
  }

  // A stage that nobody waited for has the limit that it has in another boot.
  void limits() {
    std::map<std::string, Nanoseconds> known;
    for (const auto& boot : boots_)
      for (const auto& stage : boot.stages)
        if (stage.limit > Nanoseconds{}) known[stage.stage] = stage.limit;
    for (auto& boot : boots_)
      for (auto& stage : boot.stages)
        if (stage.limit == Nanoseconds{} && known.contains(stage.stage)) {
          stage.limit = known[stage.stage];
          stage.within = stage.since_power_on <= stage.limit;
        }
  }

  std::string dut_, file_;
  std::vector<std::string> declared_, noise_;
  std::optional<BootLog> boot_;
  std::vector<std::pair<SteadyTime, std::uint64_t>> sent_;
  std::vector<Seen> seen_;
  bool stalled_ = false;
  SteadyTime now_{}, ended_{};  // ended_: the last boot
  std::vector<BootLog> boots_;
};

}  // namespace

std::vector<std::string> booted_duts(std::span<const Event> events) {
  std::set<std::string> names;
  for (const auto& event : events)
    if (event.kind == "boot.begin") names.insert(event.source);
  return {names.begin(), names.end()};
}

std::vector<BootLog> boots_of(std::span<const Event> events, const std::string& dut) {
  BootMaker maker(dut);
  for (const auto& event : events) maker.take(event);
  return maker.finish();
}

}  // namespace hilcop
