// SPDX-License-Identifier: Apache-2.0
#include "selftest/selftest.h"

#include <algorithm>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/paths.h"
#include "bench/lease_lock.h"
#include "console/console.h"
#include "evidence/timeline.h"
#include "io/socket_stream.h"
#include "selftest/arrivals.h"
#include "selftest/host_checks.h"
#include "selftest/loopback.h"
#include "selftest/power_effect.h"
#include "selftest/power_round.h"
#include "selftest/reach_checks.h"
#include "selftest/usb_bandwidth.h"

namespace hilcop {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::uint64_t kStateLeast = 16ull * 1024 * 1024;  // the keeper's journal and records
constexpr Nanoseconds kLoopbackLimit = 3s;

class Selftest {
 public:
  Selftest(const BenchConfig& config, const SelftestOptions& options, DriverTable drivers)
      : config_(config), options_(options), drivers_(drivers) {
    for (const auto& [name, dut] : config_.duts)
      if (options_.duts.empty() || std::find(options_.duts.begin(), options_.duts.end(), name) != options_.duts.end())
        duts_.push_back(name);
  }

  std::vector<SelftestItem> run() {
    const ClockCheck clock(real_clock());
    take(check_disk("runs", options_.out, options_.least_free));
    take(check_disk("state", state_dir(), kStateLeast));
    for (auto& item : check_usb_bandwidth(config_, drivers_, options_.devices)) take(std::move(item));
    {
      const auto timeline = Timeline::open({options_.out / "timeline" / "selftest.ndjson", {}, "selftest"});
      Arrivals arrivals(*timeline);
      if (auto bench = open(arrivals)) {
        try {
          test_duts(*bench, arrivals);
        } catch (const Interrupted&) {
          bench->close();  // says so if an output does not go to its safe state: a destructor tells nobody
          throw;
        }
        about_closing(*bench);
        about_recordings(arrivals, *timeline);
      }
      loopbacks();
      unused_instruments();
    }
    for (auto& item : clock.items()) take(std::move(item));
    return items_;
  }

 private:
  void take(SelftestItem item) {
    if (options_.on_item) options_.on_item(item);
    items_.push_back(std::move(item));
  }
  void fail(const char* what, const std::string& dut, const std::string& object, const Error& error) {
    take({what, dut, object, SelftestGrade::Fail,
          error.object() + ": " + error.cause() + (error.remedy().empty() ? "" : "; " + error.remedy())});
  }

  std::unique_ptr<Bench> open_with(const std::vector<std::string>& duts, EventSink& sink, const fs::path& record_dir) {
    OpenOptions how;
    how.duts = duts;
    how.record_dir = record_dir;
    how.holder = "hilcop selftest";
    how.wait_until = options_.wait_until;
    how.on_wait = options_.on_wait;
    how.keeper = options_.keeper;
    return Bench::open(config_, how, drivers_, sink);
  }

  // All at once; where that fails, each alone, to know which, and then those that can be. nullptr: none.
  std::unique_ptr<Bench> open(EventSink& sink) {
    std::vector<std::string> sound = duts_;
    std::unique_ptr<Bench> bench;
    try {
      if (!sound.empty()) bench = open_with(sound, sink, options_.out / "console");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Busy) throw;
      sound = openable_alone(sink);
    }
    try {
      if (!bench && !sound.empty()) bench = open_with(sound, sink, options_.out / "console");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Busy) throw;
      fail("instruments", "", "all together", error);
    }
    if (!bench) return nullptr;
    std::set<std::string> reached;
    for (const auto& name : sound)
      for (const auto& instrument : instruments_of(config_.duts.at(name))) reached.insert(instrument);
    for (const auto& name : reached) take({"instruments", "", name, SelftestGrade::Pass, "open"});
    reached_ = reached;
    return bench;
  }

  std::vector<std::string> openable_alone(EventSink& sink) {
    std::vector<std::string> sound;
    for (const auto& name : duts_) {
      try {
        open_with({name}, sink, {})->close();
        sound.push_back(name);
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::Busy) throw;
        fail("instruments", name, "", error);
      }
    }
    return sound;
  }

  static std::set<std::string> instruments_of(const DutConfig& dut) {
    std::set<std::string> names;
    if (dut.power)
      for (const auto& pole : dut.power->poles) names.insert(pole.role.instrument);
    if (dut.reset) names.insert(dut.reset->role.instrument);
    for (const auto& [name, role] : dut.consoles) names.insert(role.instrument);
    for (const auto* outputs : {&dut.buttons, &dut.outputs, &dut.inputs})
      for (const auto& [name, output] : *outputs) names.insert(output.role.instrument);
    for (const auto& [name, role] : dut.meters) names.insert(role.instrument);
    for (const auto& [name, storage] : dut.storage)
      if (storage.mux) names.insert(storage.mux->role.instrument);
    return names;
  }

  void test_duts(Bench& bench, const Arrivals& arrivals) {
    about_wear(bench);
    const auto take_all = [this](std::vector<SelftestItem> items) {
      for (auto& item : items) take(std::move(item));
    };
    PowerRoundOptions how;
    how.ask = options_.ask;
    how.ask_limit = options_.ask_limit;
    how.on_item = [this](const SelftestItem& item) { take(item); };
    how.while_on = [&](const std::string& name) {
      take_all(check_usb(bench.dut(name), true));
      take_all(check_storage(bench.dut(name), true));
    };
    test_power(bench, arrivals, how);
    for (const auto& name : bench.dut_names()) {
      auto& dut = bench.dut(name);
      if (dut.config().power) take_all(check_usb(dut, false));
      if (power_failed(name) && !dut.config().storage.empty())
        take(not_looked_at("storage", name, "its power may be on: its disks are left to it"));
      else
        take_all(check_storage(dut, false));
    }
  }
  static SelftestItem not_looked_at(const char* what, const std::string& dut, const std::string& why) {
    SelftestItem item{what, dut, "", SelftestGrade::NotProved, why};
    item.looked = false;
    return item;
  }
  bool power_failed(const std::string& dut) const {
    return std::any_of(items_.begin(), items_.end(), [&](const SelftestItem& item) {
      return item.item == "power" && item.dut == dut && item.grade == SelftestGrade::Fail;
    });
  }

  void about_wear(Bench& bench) {
    for (const auto& name : bench.dut_names()) {
      const auto& power = config_.duts.at(name).power;
      if (!power || power->rated_switches == 0) continue;
      const auto& first = power->poles.front().role;
      const auto object = first.instrument + " channel " + first.channel;
      try {
        const auto count = bench.switch_count(name);
        const bool worn = count > power->rated_switches;
        take({"wear", name, object, worn ? SelftestGrade::Warning : SelftestGrade::Pass,
              fmt::format("switched {} times of {}{}", count, power->rated_switches, worn ? ": have it replaced" : "")});
      } catch (const Error& error) {
        fail("wear", name, object, error);
      }
    }
  }

  void about_closing(Bench& bench) {
    try {
      bench.close();
    } catch (const Error& error) {
      if (bench.closing_errors().empty()) fail("instruments", "", "closing", error);
    }
    if (interrupt_requested()) throw Interrupted();  // what was wrong then may be nobody's fault
    for (const auto& [dut, error] : bench.closing_errors()) {
      if (error.kind() == ErrorKind::Exhausted)
        fail("capture", "", "closing", error);
      else
        fail("instruments", dut, "closing", error);
    }
  }

  // Every byte that came in must stand in the file that a run would rest on.
  void about_recordings(const Arrivals& arrivals, Timeline& timeline) {
    for (const auto& [source, sum] : arrivals.sums()) {
      std::string stem = source;
      std::replace(stem.begin(), stem.end(), '/', '-');
      const auto file = options_.out / "console" / (stem + ".raw");
      Arrivals::Sum kept;
      std::ifstream stream(file, std::ios::binary);
      std::vector<char> buffer(64 * 1024);
      while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || stream.gcount() > 0)
        add(kept, std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(stream.gcount()))));
      const bool whole = kept.bytes == sum.bytes && kept.fnv == sum.fnv;
      take({"capture", source.substr(0, source.find('/')), "console " + source.substr(source.find('/') + 1),
            whole ? SelftestGrade::Pass : SelftestGrade::Fail,
            whole ? fmt::format("{} bytes recorded as they came", kept.bytes)
                  : fmt::format("{} bytes came, {} stand in {}", sum.bytes, kept.bytes, file.string())});
    }
    try {
      timeline.check();
      take({"capture", "", "timeline", SelftestGrade::Pass, ""});
    } catch (const Error& error) {
      fail("capture", "", "timeline", error);
    }
  }

  void loopbacks() {
    for (const auto& [name, role] : config_.loopbacks) {
      const auto& instrument = config_.instruments.at(role.instrument);
      try {
        const auto holder = std::string("loopback " + name + " (hilcop selftest)");
        const Driver* driver = find_driver(drivers_, instrument.driver);
        std::unique_ptr<LeaseLock> lock;
        std::unique_ptr<KeeperClient> keeper;
        std::unique_ptr<Lease> lease;
        std::unique_ptr<ByteStream> stream;
        if (driver->open_console) {
          lock = LeaseLock::acquire("console:" + driver->identity(instrument), holder, options_.wait_until);
          stream = driver->open_console(instrument, Deadline::in(10s));
        } else {
          keeper = KeeperClient::connect(options_.keeper, Deadline::in(15s));
          LeaseRequest request;
          request.instrument = instrument;
          request.channel = role.channel;
          request.holder = holder;
          request.safe_state = SafeState::Keep;
          lease = keeper->lease(request, Deadline::in(20s));
          stream = open_unix_stream(lease->endpoint(Deadline::in(10s)).at("unix").get<std::string>(), Deadline::in(10s));
        }
        const bool xon_xoff = instrument.config.value("flow", json("none")) == "xon-xoff";
        const auto on_the_line = 1024 * byte_time_of(instrument);
        take(check_loopback(name, *stream, xon_xoff, static_cast<std::uint64_t>(to_ns(real_clock().now())),
                            Deadline::in(std::max<Nanoseconds>(kLoopbackLimit, 2 * on_the_line))));
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::Busy) throw;
        fail("loopback", "", name, error);
      }
      reached_.insert(role.instrument);
    }
  }

  // What stands in lab-config and no DUT uses: a console is opened, the rest has no channel to ask for.
  void unused_instruments() {
    std::set<std::string> used = reached_;
    for (const auto& [name, dut] : config_.duts) {
      used.merge(instruments_of(dut));
      for (const auto& [disk, storage] : dut.storage) used.insert(storage.instrument);  // "storage" told of it
    }
    for (const auto& [name, instrument] : config_.instruments) {
      if (used.contains(name)) continue;
      const Driver* driver = find_driver(drivers_, instrument.driver);
      if (!driver->open_console) {
        take({"instruments", "", name, SelftestGrade::NotProved, "no DUT uses it"});
        continue;
      }
      try {
        const auto lock = LeaseLock::acquire("console:" + driver->identity(instrument), "hilcop selftest", options_.wait_until);
        driver->open_console(instrument, Deadline::in(10s));
        take({"instruments", "", name, SelftestGrade::Pass, "opens; no DUT uses it"});
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::Busy) {
          take({"instruments", "", name, SelftestGrade::NotProved, error.object() + " " + error.cause()});
          continue;
        }
        fail("instruments", "", name, error);
      }
    }
  }

  const BenchConfig& config_;
  const SelftestOptions& options_;
  DriverTable drivers_;
  std::vector<std::string> duts_;
  std::set<std::string> reached_;
  std::vector<SelftestItem> items_;
};

}  // namespace

std::vector<SelftestItem> selftest(const BenchConfig& bench, const SelftestOptions& options, DriverTable drivers) {
  return Selftest(bench, options, drivers).run();
}

}  // namespace hilcop
