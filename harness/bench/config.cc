// SPDX-License-Identifier: Apache-2.0
#include "bench/config.h"

#include <algorithm>
#include <set>

#include "bench/board_watchers.h"
#include "bench/channel_check.h"
#include "bench/checked_yaml.h"
#include "bench/read_board.h"
#include "bench/tables.h"
#include "bench/usb_config.h"
#include "console/boot_noise.h"
#include "keeper/journal.h"

namespace hilcop {
namespace {

using nlohmann::json;

class BenchLoader {
 public:
  BenchLoader(const std::filesystem::path& path, std::filesystem::path boards_dir, DriverTable drivers)
      : boards_dir_(std::move(boards_dir)), drivers_(drivers), file_(check_file(path, bench_keys(), problems_)) {}

  BenchConfig load() {
    bench_.file = file_.path;
    bench_.sha256 = file_.sha256;
    if (file_.value.contains("bench") && file_.value["bench"].is_string()) bench_.name = file_.value["bench"];
    if (file_.value.contains("instruments") && file_.value["instruments"].is_object())
      for (auto& [name, value] : file_.value["instruments"].items()) instrument(name, value);
    if (file_.value.contains("supplies") && file_.value["supplies"].is_object())
      for (const auto& [name, value] : file_.value["supplies"].items())
        if (value.is_object() && value["stagger_ms"].is_number()) bench_.supplies[name] = from_ms(value["stagger_ms"]);
    if (file_.value.contains("duts") && file_.value["duts"].is_object())
      for (auto& [name, value] : file_.value["duts"].items()) dut(name, value);
    if (file_.value.contains("loopbacks") && file_.value["loopbacks"].is_object())
      for (const auto& [name, value] : file_.value["loopbacks"].items())
        if (const auto source = role(value, "loopbacks." + name, kConsoles)) bench_.loopbacks[name] = *source;
    bench_.selftest_required = file_.value.value("selftest", json()) == "required";
    if (const auto age = file_.value.value("selftest_max_age_h", json()); age.is_number())
      bench_.selftest_max_age = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double, std::ratio<3600>>(age.get<double>()));
    if (!problems_.empty()) throw ConfigError(std::move(problems_));
    return std::move(bench_);
  }

 private:
  void add(const std::string& path, std::string message, std::vector<std::string> choices = {}) {
    problems_.push_back(file_.problem(path, std::move(message), std::move(choices)));
  }

  const Board* board(const std::string& name, const std::string& path) {
    const bool is_path = name.ends_with(".yaml");
    const auto file =
        is_path ? std::filesystem::absolute(file_.path.parent_path() / name).lexically_normal() : boards_dir_ / (name + ".yaml");
    if (const auto known = boards_.find(file.string()); known != boards_.end()) return known->second ? &*known->second : nullptr;
    auto& entry = boards_[file.string()];
    std::error_code none;
    // One that cannot even be looked for is told by whoever reads it.
    if (!std::filesystem::exists(file, none) && !none) {
      std::vector<std::string> names;
      for (const auto& found : std::filesystem::directory_iterator(boards_dir_, none))
        if (found.path().extension() == ".yaml") names.push_back(found.path().stem().string());
      std::sort(names.begin(), names.end());
      add(path, "there is no board '" + name + "' (" + file.string() + ")" + nearest(name, names), names);
      return nullptr;
    }
    const auto before = problems_.size();
    auto board = read_board(file, drivers_, problems_);
    if (problems_.size() == before) entry = std::move(board);
    return entry ? &*entry : nullptr;
  }

  void instrument(const std::string& name, json& value) {
    const std::string path = "instruments." + name;
    if (!value.is_object()) return add(path, "must be a mapping with a driver");
    const auto text_of = [&](const char* key) {
      return value.contains(key) && value[key].is_string() ? value[key].get<std::string>() : std::string();
    };
    const std::string board_name = text_of("board");
    std::string driver_name = text_of("driver");
    json merged = json::object();
    if (!board_name.empty()) {
      const Board* found = board(board_name, path + ".board");
      if (found != nullptr && found->machine.is_null())
        add(path + ".board", "board '" + board_name + "' says no `machine:`, so no instrument can be it");
      if (found == nullptr || found->machine.is_null()) return;
      merged = found->machine;
      merged["board"] = found->file.lexically_normal().string();  // for what a driver must say of it
      if (driver_name.empty()) driver_name = merged["driver"];
      merged.erase("driver");
    }
    const Driver* driver = find_driver(drivers_, driver_name);
    if (driver == nullptr) {
      const auto names = driver_names(drivers_);
      return add(path + ".driver",
                 driver_name.empty() ? "'driver' is missing" : "'" + driver_name + "' is no driver" + nearest(driver_name, names), names);
    }
    value.erase("driver");
    value.erase("board");
    auto keys = driver->keys;
    for (auto& spec : keys)
      if (merged.contains(spec.name)) spec.required = false;
    const auto own = names_of(value.items());
    const auto problems = problems_.size();
    check_part(file_, path, value, keys, problems_);
    for (const auto& [key, given] : value.items())
      if (std::find(own.begin(), own.end(), key) != own.end() || !merged.contains(key)) merged[key] = given;
    bench_.instruments[name] = {name, driver_name, merged};
    if (problems_.size() != problems) return;
    if (const auto why = driver->objection ? driver->objection(bench_.instruments[name]) : ""; !why.empty()) return add(path, why);
    sound_.insert(name);
  }

  template <typename Pairs>
  static std::vector<std::string> names_of(Pairs pairs) {
    std::vector<std::string> names;
    for (const auto& entry : pairs) names.push_back(entry.key());
    return names;
  }

  // nullptr: what is configured of it has problems of its own.
  const Driver* sound_driver(const std::string& instrument) const {
    return sound_.contains(instrument) ? find_driver(drivers_, bench_.instruments.at(instrument).driver) : nullptr;
  }

  // One output for two roles would let one of them switch what the other relies on. By the thing itself: two names of it are one.
  void take(const RoleConfig& config, const std::string& path) {
    const auto* driver = sound_driver(config.instrument);
    const std::string identity = driver == nullptr ? config.instrument : driver->identity(bench_.instruments[config.instrument]);
    const auto [entry, fresh] = taken_.try_emplace({identity, config.channel}, path);
    if (fresh) return;
    add(path + ".channel", "'" + config.channel + "' of '" + config.instrument + "' is already " + entry->second);
  }

  std::optional<RoleConfig> role(const json& value, const std::string& path, const ChannelKinds& kinds) {
    if (!value.is_object() || value["instrument"].is_null() || value["channel"].is_null()) return std::nullopt;
    RoleConfig config{value["instrument"], value["channel"]};
    if (!file_.value["instruments"].contains(config.instrument)) {
      const auto names = names_of(file_.value["instruments"].items());
      add(path + ".instrument", "'" + config.instrument + "' is no instrument of this bench" + nearest(config.instrument, names), names);
      return std::nullopt;
    }
    if (const auto* driver = sound_driver(config.instrument))
      if (const auto why = channel_objection(*driver, bench_.instruments[config.instrument], config.channel, kinds))
        add(path + ".channel", why->text, why->choices);
    take(config, path);
    return config;
  }

  std::optional<OutputConfig> output(const json& value, const std::string& path, const ChannelKinds& kinds = kSwitches) {
    const auto source = role(value, path, kinds);
    if (!source) return std::nullopt;
    return OutputConfig{*source, value["active_low"], safe_state_from_string(value["safe_state"])};
  }

  void outputs(const json& list, const std::string& path, const ChannelKinds& kinds, std::map<std::string, OutputConfig>& into) {
    for (const auto& [name, value] : list.items())
      if (auto config = output(value, path + "." + name, kinds)) into[name] = *config;
  }

  bool goes_with_power(const DutConfig& dut, const RoleConfig& source, const std::string& path) {
    const auto before = problems_.size();
    if (const auto made = bench_.instruments.find(source.instrument); made != bench_.instruments.end())
      if (!find_driver(drivers_, made->second.driver)->unplugs)
        add(path, "'" + made->first + "' (driver " + made->second.driver + ") is there without the DUT: leave it out");
    if (!dut.power || dut.power->safe_state != SafeState::Off)
      add(path,
          "needs a `power:` whose `safe_state` is off: else nobody knows whether the adapter is to be there when the bench is opened");
    return problems_.size() == before;
  }

  LinesWhileOff lines_while_off(const json& value, const RoleConfig& source, const std::string& path) {
    // Else the power would go before anybody learns that the lines still feed the board.
    if (const auto made = bench_.instruments.find(source.instrument); made != bench_.instruments.end())
      if (!find_driver(drivers_, made->second.driver)->holds_lines)
        add(path,
            "'" + made->first + "' (driver " + made->second.driver + ") has no lines to hold: leave it out, or use serial or rfc2217");
    LinesWhileOff lines;
    lines.tx_low = value["tx_low"];
    if (!value["dtr"].is_null()) lines.dtr = value["dtr"] == "on";
    if (!value["rts"].is_null()) lines.rts = value["rts"] == "on";
    return lines;
  }

  void refers(const json& name, const json& dut, const char* part, const std::string& path) {
    if (name.is_null() || dut[part].contains(name.get<std::string>())) return;
    const auto names = names_of(dut[part].items());
    add(path, "'" + name.get<std::string>() + "' is none of this DUT's `" + part + ":`" + nearest(name, names), names);
  }

  std::optional<PowerConfig> power(const json& value, const json& dut, const Board& board, const std::string& path) {
    const bool one = !value["instrument"].is_null() || !value["channel"].is_null();
    if (one == !value["poles"].is_null()) {
      add(path, "give either `instrument:` and `channel:`, or `poles:`");
      return std::nullopt;
    }
    PowerConfig config;
    const auto pole = [&](const json& source, const std::string& at) {
      if (source["instrument"].is_null() || source["channel"].is_null())
        add(at, std::string("'") + (source["instrument"].is_null() ? "instrument" : "channel") + "' is missing");
      if (const auto from = role(source, at, kSwitches)) config.poles.push_back({*from, source["contact"] == "normally-closed"});
    };
    if (one) pole(value, path);
    if (!one && value["poles"].empty()) add(path + ".poles", "is empty, so nothing would be switched");
    if (!one)
      for (std::size_t i = 0; i < value["poles"].size(); ++i) pole(value["poles"][i], path + ".poles." + std::to_string(i));
    config.safe_state = safe_state_from_string(value["safe_state"]);
    config.min_off = std::max(from_ms(value["min_off_ms"]), board.min_off);
    config.supply = supply(value, path);
    if (!value["rated_switches"].is_null()) config.rated_switches = value["rated_switches"];
    const auto& verify = value["verify"];
    if (config.poles.empty()) return std::nullopt;
    if (verify.is_null()) return config;
    config.verify_read_back = verify["read_back"];
    config.verify_within = from_ms(verify["within_ms"]);
    if (!verify["console_silence_ms"].is_null()) {
      config.verify_console_silence = from_ms(verify["console_silence_ms"]);
      if (!dut["consoles"].contains("main")) add(path + ".verify.console_silence_ms", "needs console 'main' of this DUT");
    }
    if (!verify["usb_gone_ms"].is_null()) {
      config.verify_usb_gone = from_ms(verify["usb_gone_ms"]);
      if (dut["usb"].is_null()) add(path + ".verify.usb_gone_ms", "needs `usb:` of this DUT");
    }
    refers(verify["input"], dut, "inputs", path + ".verify.input");
    if (!verify["input"].is_null()) config.verify_input = verify["input"];
    if (!verify["meter"].is_null() && !verify["meter"]["name"].is_null() && !verify["meter"]["below"].is_null()) {
      refers(verify["meter"]["name"], dut, "meters", path + ".verify.meter.name");
      config.verify_meter = PowerMeter{verify["meter"]["name"], verify["meter"]["below"]};
    }
    return config;
  }

  std::string supply(const json& power, const std::string& path) {
    if (power["supply"].is_null()) return "";
    const std::string name = power["supply"];
    if (!file_.value["supplies"].contains(name)) {
      const auto names = names_of(file_.value["supplies"].items());
      add(path + ".supply", "'" + name + "' is no supply of this bench" + nearest(name, names), names);
    }
    if (power["safe_state"] == "on")
      add(path + ".safe_state", "'on' would switch it on out of its turn at supply '" + name + "'", {"off", "keep"});
    return name;
  }

  UsbSelector usb(const json& value, const std::string& path) {
    auto selector = read_usb_selector(value);
    if (selector.path.empty() && selector.serial.empty() && !(selector.vid && selector.pid))
      add(path, "says not which device: give a path, a serial number, or vid and pid");
    if (const auto [other, fresh] = usb_taken_.emplace(selector.text(), path); !fresh) add(path, "is already " + other->second);
    return selector;
  }

  // A watcher that is never armed would look as if nothing had happened.
  void check_watchers(const DutConfig& dut, const std::string& path) {
    std::vector<std::string> names;
    for (const auto& [console, source] : dut.consoles) names.push_back(console);
    for (const auto& one : dut.board.watchers)
      if (!one.console.empty() && !dut.consoles.contains(one.console))
        add(path + ".consoles",
            "watcher '" + one.watcher.name + "' of board '" + dut.board.name + "' is for console '" + one.console +
                "', which this DUT lacks" + nearest(one.console, names),
            names);
  }

  void storage_role(const std::string& name, const json& value, const std::string& path, DutConfig& dut) {
    if (!value.is_object() || value["instrument"].is_null()) return;
    StorageConfig storage{value["instrument"], from_s(value["appear_s"]), {}};
    const auto& known = file_.value["instruments"];
    if (!known.contains(storage.instrument)) {
      const auto names = names_of(known.items());
      return add(path + ".instrument", "'" + storage.instrument + "' is no instrument of this bench" + nearest(storage.instrument, names),
                 names);
    }
    if (const auto made = bench_.instruments.find(storage.instrument); made != bench_.instruments.end())
      if (!find_driver(drivers_, made->second.driver)->open_storage)
        add(path + ".instrument", "'" + storage.instrument + "' (driver " + made->second.driver + ") is no storage");
    auto& by = taken_[{storage.instrument, ""}];
    if (!by.empty()) add(path + ".instrument", "'" + storage.instrument + "' is already " + by);
    by = path;
    if (const auto& mux = value["mux"]; !mux.is_null())
      if (const auto source = role(mux, path + ".mux", kSwitches))
        storage.mux = OutputConfig{*source, mux["host"] == "off", SafeState::Off};
    dut.storage[name] = std::move(storage);
  }

  // What a board's flash: and dump: want of this DUT: found here, not in the middle of a flashing.
  void check_flash(const DutConfig& dut, const std::string& path) {
    for (const auto* list : {&dut.board.flash, &dut.board.dump})
      for (const auto& part : *list) {
        const std::string what =
            std::string(list == &dut.board.flash ? "flash" : "dump") + " part '" + part.name + "' of board '" + dut.board.name + "'";
        for (const auto& name : placeholders_of(part))
          if (!is_own_placeholder(name) && !dut.flash_values.contains(name))
            add(path + ".flash_values", what + " wants a value for {" + name + "}");
      }
  }

  void dut(const std::string& name, const json& value) {
    const std::string path = "duts." + name;
    if (!value.is_object() || value["board"].is_null()) return;
    if (name.find_first_of("/ ") != std::string::npos) return add(path, "a DUT's name has no '/' and no space");
    DutConfig dut;
    dut.name = name;
    if (const Board* found = board(value["board"], path + ".board")) dut.board = *found;
    dut.serial_number = value["serial_number"];
    if (!value["unit_record"].is_null()) dut.unit_record = value["unit_record"].get<std::string>();
    if (!value["power"].is_null()) dut.power = power(value["power"], value, dut.board, path + ".power");
    for (const auto& [console, source] : value["consoles"].items()) {
      const std::string at = path + ".consoles." + console;
      const auto config = role(source, at, kConsoles);
      if (!config) continue;
      dut.consoles[console] = *config;
      if (source["comes_with_power"] == true && goes_with_power(dut, *config, at + ".comes_with_power"))
        dut.consoles_of_power.insert(console);
      if (!source["while_off"].is_null()) dut.lines_while_off[console] = lines_while_off(source["while_off"], *config, at + ".while_off");
    }
    for (const auto& [meter, source] : value["meters"].items())
      if (const auto config = role(source, path + ".meters." + meter, kMeters)) dut.meters[meter] = *config;
    check_watchers(dut, path);
    if (!value["usb"].is_null()) dut.usb = usb(value["usb"], path + ".usb");
    if (!value["network"].is_null())
      dut.network = network_config(value["network"], path + ".network",
                                   [this](const json& at, const std::string& where) { return role(at, where, kNetworks); });
    if (!value["reset"].is_null()) dut.reset = output(value["reset"], path + ".reset");
    outputs(value["buttons"], path + ".buttons", kSwitches, dut.buttons);
    outputs(value["outputs"], path + ".outputs", kSwitches, dut.outputs);
    outputs(value["inputs"], path + ".inputs", kReadLines, dut.inputs);
    for (const auto& [storage, source] : value["storage"].items()) storage_role(storage, source, path + ".storage." + storage, dut);
    for (const auto& [key, text] : value["flash_values"].items()) dut.flash_values[key] = text;
    check_flash(dut, path);
    bench_.duts[name] = std::move(dut);
  }

  std::filesystem::path boards_dir_;
  DriverTable drivers_;
  std::vector<ConfigProblem> problems_;
  CheckedFile file_;
  BenchConfig bench_;
  std::map<std::string, std::optional<Board>> boards_;
  std::set<std::string> sound_;  // instruments without a problem: a driver can be asked about them
  std::map<std::pair<std::string, std::string>, std::string> taken_;
  std::map<std::string, std::string> usb_taken_;
};

std::string all_texts(const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const auto& problem : problems) text += (text.empty() ? "" : "\n") + problem.text();
  return text;
}

}  // namespace

std::string ConfigProblem::text() const {
  std::string line_text =
      file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + (key_path.empty() ? "" : key_path + ": ") + message;
  if (choices.empty()) return line_text;
  line_text += "; choose one of: ";
  for (std::size_t i = 0; i < choices.size(); ++i) line_text += (i == 0 ? "" : ", ") + choices[i];
  return line_text;
}

ConfigError::ConfigError(std::vector<ConfigProblem> problems)
    : Error(ErrorKind::Config, std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems"),
            "\n" + all_texts(problems), ""),
      problems_(std::move(problems)) {}

BenchConfig load_bench_config(const std::filesystem::path& file, const std::filesystem::path& boards_dir, DriverTable drivers) {
  return BenchLoader(file, boards_dir, drivers).load();
}

namespace {
// Other folders are called so, too.
bool holds_boards(const std::filesystem::path& folder) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none))
    if (entry.path().extension() == ".yaml") return true;
  return false;
}
}  // namespace

std::filesystem::path boards_dir_above(const std::filesystem::path& file) {
  std::error_code none;
  for (const auto& named : {std::filesystem::absolute(file).lexically_normal(), std::filesystem::weakly_canonical(file, none)})
    for (auto dir = named.parent_path(); dir.has_relative_path(); dir = dir.parent_path())
      if (const auto boards = dir.parent_path() / "boards"; holds_boards(boards)) return boards;
  return std::filesystem::absolute(file).lexically_normal().parent_path().parent_path() / "boards";
}

bool is_board_file(const std::filesystem::path& file) {
  const auto keys = top_keys(file);
  const auto says = [&keys](const char* key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
  return says("board") && !says("duts");
}

}  // namespace hilcop
