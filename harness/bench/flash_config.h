// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/key_spec.h"

namespace hilcop {

struct ConfigProblem;
struct CheckedFile;

/// One thing of a product that can be written (`flash:` of a board file) or read (`dump:`), and the way there. Pure data.
struct FlashPart {
  std::string name;
  std::string route;                                 // "storage", "uboot", "dfu", "fastboot", "openocd", "command"
  nlohmann::json config = nlohmann::json::object();  // the route's own keys, checked
  std::string power;                                 // before: "keep", "off", "on", "cycle"
  std::filesystem::path image;                       // when none is named; may be empty; flash only
  Nanoseconds timeout{};
  bool verify = true;
};

/// The key `flash` or `dump` of a board file.
KeySpec flash_keys(bool dump);
/// Of a checked board file; what is wrong is appended.
std::vector<FlashPart> read_flash_parts(const CheckedFile& file, bool dump, std::vector<ConfigProblem>& problems);

/// Every {name} in the texts of a part; "{{" and "}}" are braces.
std::vector<std::string> placeholders_of(const FlashPart& part);
/// What hilcop itself knows of a flashing; anything else is of the DUT's `flash_values:` in lab-config.
bool is_own_placeholder(const std::string& name);
/// Whether its value chooses one device among those of this host: {serial}, {usb_path}, and what ends so, as {probe_serial}.
bool chooses_device(const std::string& name);
/// `text` with every {name} replaced. Throws Error{Config} for one that has no value.
std::string fill_in(const std::string& text, const std::map<std::string, std::string>& values);

}  // namespace hilcop
