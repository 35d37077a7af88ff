// SPDX-License-Identifier: Apache-2.0
#include "bench/flash_config.h"

#include <algorithm>
#include <array>
#include <set>

#include "bench/checked_yaml.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr std::array kRoutes{"storage", "uboot", "dfu", "fastboot", "openocd", "command"};
constexpr std::array kOwn{"file", "output", "dut", "address", "bytes", "blocks", "tftp_file"};

std::string route_names() {
  std::string names;
  for (const auto* route : kRoutes) names += (names.empty() ? "" : ", ") + std::string(route);
  return names;
}

// Calls `text` for what stands between placeholders and `name` for each of them.
template <typename Text, typename Name>
void scan(const std::string& template_text, const Text& text, const Name& name) {
  for (std::size_t i = 0; i < template_text.size(); ++i) {
    const char c = template_text[i];
    const bool doubled = i + 1 < template_text.size() && template_text[i + 1] == c;
    if ((c == '{' || c == '}') && doubled) {
      text(c);
      ++i;
    } else if (const auto end = template_text.find('}', i); c == '{' && end != std::string::npos) {
      name(template_text.substr(i + 1, end - i - 1));
      i = end;
    } else {
      text(c);
    }
  }
}

void collect(const json& value, std::set<std::string>& names) {
  if (value.is_string())
    scan(
        value.get<std::string>(), [](char) {}, [&](const std::string& name) { names.insert(name); });
  else if (value.is_structured())
    for (const auto& part : value) collect(part, names);
}

// openocd takes the first adapter that fits its configuration, and would write and verify another board's chip.
bool chooses_adapter(json openocd) {
  if (openocd["any_adapter"] == true) return true;
  std::set<std::string> names;
  for (const char* key : {"config", "setup"}) collect(openocd[key], names);
  return std::any_of(names.begin(), names.end(), chooses_device);
}

}  // namespace

std::vector<FlashPart> read_flash_parts(const CheckedFile& file, bool dump, std::vector<ConfigProblem>& problems) {
  const std::string list = dump ? "dump" : "flash";
  std::vector<FlashPart> parts;
  for (std::size_t i = 0; i < file.value[list].size(); ++i) {
    const auto& value = file.value[list][i];
    const std::string path = list + "." + std::to_string(i);
    FlashPart part;
    part.name = value["name"];
    part.power = value["power"];
    part.timeout = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(value["timeout_s"].get<double>()));
    part.verify = value["verify"];
    if (!dump && !value["image"].is_null()) part.image = value["image"].get<std::string>();
    for (const auto* route : kRoutes) {
      if (!value.contains(route) || value[route].is_null()) continue;
      if (!part.route.empty())
        problems.push_back(file.problem(path + "." + route, "'" + part.name + "' has the route '" + part.route + "' already"));
      part.route = route;
      part.config = value[route];
    }
    if (part.route.empty()) problems.push_back(file.problem(path, "'" + part.name + "' says no route: give one of " + route_names()));
    if (std::any_of(parts.begin(), parts.end(), [&](const auto& other) { return other.name == part.name; }))
      problems.push_back(file.problem(path + ".name", "two parts are named '" + part.name + "'"));
    if (part.route == "command" && part.config["run"].empty()) problems.push_back(file.problem(path + ".command.run", "is empty"));
    if (part.route == "uboot" && !dump && part.config["write"].empty() && !part.config["read"].empty())
      problems.push_back(file.problem(path + ".uboot.read", "there is no `write:` that it could verify"));
    if (part.route == "openocd" && !chooses_adapter(part.config))
      problems.push_back(file.problem(path + ".openocd",
                                      "does not say which adapter is meant, and openocd would take any: add `setup: "
                                      "['adapter serial {serial}']`, or say `any_adapter: true`"));
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<std::string> placeholders_of(const FlashPart& part) {
  std::set<std::string> names;
  for (const auto& [key, value] : part.config.items())
    if (key != "prompt") collect(value, names);  // a pattern: {3} is how often
  if (part.route == "uboot" && part.config.value("load", "") == "tftp") names.insert("tftp_dir");
  return {names.begin(), names.end()};
}

bool is_own_placeholder(const std::string& name) { return std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end(); }

bool chooses_device(const std::string& name) { return name.ends_with("serial") || name.ends_with("usb_path"); }

std::string fill_in(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string filled;
  scan(
      text, [&](char c) { filled += c; },
      [&](const std::string& name) {
        const auto found = values.find(name);
        if (found == values.end())
          throw Error(ErrorKind::Config, "'" + text + "'", "there is no value for {" + name + "}",
                      "add it to the DUT's `flash_values:` in lab-config; {{ and }} are braces");
        filled += found->second;
      });
  return filled;
}

}  // namespace hilcop
