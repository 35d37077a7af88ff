// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/bench_draft.h"
#include "cli/bench_option.h"
#include "cli/bench_state.h"
#include "cli/command.h"
#include "cli/discovery.h"
#include "cli/new_file.h"
#include "cli/table.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

struct Arguments {
  std::string bench, write, bench_name, root = "/";
  bool json = false, force = false;
};

// What is there of a bench's instruments; and what is wrong with it, or who has it.
ordered_json instruments_of(const BenchConfig& bench, const std::vector<Discovered>& found, bool this_host) {
  auto list = ordered_json::array();
  const auto state = bench_state(bench, all_drivers());
  for (const auto& entry : state["instruments"]) {
    // A path, and a link that udev made, are followed on this host alone.
    const bool node = this_host && entry.contains("there");
    const auto presence = !node                    ? presence_of(bench.instruments.at(entry["name"]), found, all_drivers())
                          : entry["there"] == true ? Presence::There
                                                   : Presence::Missing;
    list.push_back({{"name", entry["name"]},
                    {"driver", entry["driver"]},
                    {"identity", entry["identity"]},
                    {"state", to_string(presence)},
                    {"problem", node ? entry["problem"] : json("")},
                    {"open_by", node ? entry["open_by"] : json("")}});
  }
  return list;
}

Rows rows_of(const std::vector<Discovered>& found, const std::string& kind) {
  Rows rows;
  for (const auto& one : found) {
    if (kind_of(one.device) != kind) continue;
    const auto text = describe(one.device);
    // The name is the row's own column.
    const auto colon = text.find(": ");
    const auto* node = node_of(one.device);
    const bool usb = kind == "usb_devices";
    std::vector<std::string> row{usb ? std::get<UsbDevice>(one.device).id.path : text.substr(0, colon),
                                 usb ? text : text.substr(colon + 2)};
    if (node != nullptr) row.push_back(node->accessible ? "yes" : "no: " + node->remedy);
    for (auto& cell : row) cell = printable(cell);
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_objects(const std::vector<Discovered>& found) {
  std::string text;
  for (const auto& one : found) {
    if (one.proposals.empty()) continue;
    text += "  # " + printable(describe(one.device)) + "\n";
    for (std::size_t i = 0; i < one.proposals.size(); ++i) {
      const auto& [driver, object] = one.proposals[i];
      if (!object.note.empty()) text += "  # " + printable(object.note) + "\n";
      text += (one.settled && i == 0 ? "  " : "  # ") + yaml_line(one.proposals[i]) + "\n";
    }
  }
  if (!text.empty()) std::printf("\nFor `instruments:` of a lab-config file (a comment: people must know better)\n%s", text.c_str());
}

void print(const std::vector<Discovered>& found, const ordered_json& instruments) {
  const auto print_table = [&](const char* title, const char* kind, const std::vector<std::string>& columns) {
    std::fputs(table(title, columns, rows_of(found, kind)).c_str(), stdout);
  };
  print_table("Serial ports", "serial_ports", {"PORT", "WHAT", "ACCESS"});
  print_table("USB devices", "usb_devices", {"PATH", "WHAT", "ACCESS"});
  print_table("GPIO chips", "gpio_chips", {"CHIP", "WHAT", "ACCESS"});
  print_table("Network interfaces", "network_interfaces", {"NAME", "WHAT"});
  print_objects(found);
  Rows rows;
  for (const auto& one : instruments) {
    auto state = one["state"].get<std::string>();
    if (state == "perhaps") state += ": one of its kind is there; only opening it tells which";
    for (const char* more : {"problem", "open_by"})
      if (one[more] != "") state += (more == std::string("open_by") ? ", open in " : ": ") + one[more].get<std::string>();
    rows.push_back({one["name"], one["driver"], one["identity"], state});
  }
  std::fputs(table("Instruments of the bench", {"NAME", "DRIVER", "IDENTITY", "STATE"}, rows).c_str(), stdout);
  std::printf("\nNot to be found by looking at this host (on a network, virtual, or people's choice): %s.\n",
              not_looked_for(all_drivers()).c_str());
}

std::vector<std::string> board_names() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(project_dir() / "boards", none))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

void write_draft(const Arguments& arguments, const std::vector<Discovered>& found) {
  const fs::path file = arguments.write;
  const auto schema =
      (project_dir() / "lab-config/bench.schema.json").lexically_proximate(fs::weakly_canonical(fs::absolute(file)).parent_path());
  const auto name = arguments.bench_name.empty() ? file.stem().string() : arguments.bench_name;
  const auto text = bench_draft(name, found, all_drivers(), board_names(), schema.string());
  if (arguments.force)
    replace_file(file, text);
  else
    write_new(file, text, "choose another name, or --force");
  std::printf("%s written: look through its comments, then `hilcop check %s`\n", file.c_str(), file.c_str());
}

int run(const Arguments& arguments) {
  const fs::path root = arguments.root;
  const auto found = discover({root / "sys", root / "dev"}, all_drivers());
  if (!arguments.write.empty()) {
    write_draft(arguments, found);
    return 0;
  }
  const auto instruments =
      arguments.bench.empty() ? ordered_json::array() : instruments_of(load_bench(arguments.bench), found, arguments.root == "/");
  if (arguments.json) {
    ordered_json all{{"serial_ports", json::array()},
                     {"usb_devices", json::array()},
                     {"gpio_chips", json::array()},
                     {"network_interfaces", json::array()}};
    for (const auto& one : found) all[kind_of(one.device)].push_back(to_json(one));
    if (!arguments.bench.empty()) all["instruments"] = instruments;
    std::printf("%s\n", all.dump(1, ' ', false, json::error_handler_t::replace).c_str());
  } else {
    print(found, instruments);
  }
  return std::any_of(instruments.begin(), instruments.end(), [](const auto& one) { return one["state"] == "missing"; }) ? 3 : 0;
}

}  // namespace

void add_discover(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("discover",
                                     "serial ports, USB devices, hubs, GPIO chips and network interfaces of this host, and what lab-config "
                                     "would call them; opens nothing");
  command->add_option("--bench,-b", arguments->bench, "also tell which instruments of that bench are there (exit status 3: one is missing)")
      ->type_name("BENCH");
  command->add_flag("--json", arguments->json, "as JSON");
  auto* write = command->add_option("--write", arguments->write, "write a lab-config file to start from")->type_name("FILE");
  command->add_option("--bench-name", arguments->bench_name, "the bench's name in it (default: the file's)")->needs(write);
  command->add_flag("--force", arguments->force, "write it although it is there")->needs(write);
  command->add_option("--root", arguments->root, "look below DIR/sys and DIR/dev: what another host, or a container, shows of itself")
      ->type_name("DIR");
  command->callback([arguments, &status] { status = run(*arguments); });
}

}  // namespace hilcop
