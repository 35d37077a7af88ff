// SPDX-License-Identifier: Apache-2.0
#include "io/serial_choice.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <utility>

#include "base/error.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;
using nlohmann::json;

template <typename Value>
std::optional<Value> optional_value(const json& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() || found->is_null() ? std::nullopt : std::optional(found->get<Value>());
}

SerialSelector selector_of(const json& usb) {
  SerialSelector selector;
  selector.serial = optional_value<std::string>(usb, "serial");
  selector.path = optional_value<std::string>(usb, "path");
  selector.id = optional_value<std::string>(usb, "id");
  selector.vid_pid = optional_value<std::string>(usb, "vid_pid");
  selector.interface = optional_value<int>(usb, "interface");
  if (selector.vid_pid)
    for (char& c : *selector.vid_pid) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return selector;
}

}  // namespace

std::vector<KeySpec> SerialChoice::keys(const std::string& name) {
  return {
      {.name = name,
       .type = Type::String,
       .description = "its serial port: /dev/ttyUSB0, or a link such as /dev/serial/by-path/...; or give `usb`"},
      {.name = "usb",
       .type = Type::Map,
       .description = "its serial adapter by what that is, wherever it is plugged in and whatever its number; must fit exactly one port",
       .children = {{.name = "serial", .type = Type::String, .description = "its USB serial number"},
                    {.name = "path", .type = Type::String, .description = "the socket that it is plugged in: \"1-1.2\""},
                    {.name = "id", .type = Type::String, .description = "udev's name for it, a link in /dev/serial/by-id"},
                    {.name = "vid_pid", .type = Type::String, .description = "vendor and product, \"0403:6001\"", .example = "0403:6001"},
                    {.name = "interface",
                     .type = Type::Integer,
                     .description = "of an adapter with several ports: its USB interface",
                     .min = 0,
                     .max = 255}}}};
}

SerialChoice::SerialChoice(const json& config, std::string name)
    : name_(std::move(name)), path_(optional_value<std::string>(config, name_)) {
  if (const auto usb = config.find("usb"); usb != config.end() && !usb->is_null()) usb_ = selector_of(*usb);
}

std::string SerialChoice::objection() const {
  if (!given()) return "which serial port it is: give '" + name_ + "' or 'usb'";
  if (path_ && usb_) return "both '" + name_ + "' and 'usb' are given: one of them says which serial port it is";
  if (!usb_) return "";
  if (usb_->text() == "{}") return "'usb' is empty: give at least one of serial, path, id, vid_pid";
  const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  if (const auto& id = usb_->vid_pid; id && (id->size() != 9 || (*id)[4] != ':' || std::count_if(id->begin(), id->end(), hex) != 8))
    return "'vid_pid' is '" + *id + "': write both as four hexadecimal digits, such as \"0403:6001\"";
  return "";
}

std::string SerialChoice::text() const { return usb_ ? "usb " + usb_->text() : path_.value_or("no port"); }

std::string SerialChoice::identity() const {
  if (usb_) {
    try {
      return select_serial_port(*usb_, "serial port").node.path;
    } catch (const Error&) {
      return "usb-serial:" + usb_->text();
    }
  }
  std::error_code error;
  const auto target = std::filesystem::canonical(path_.value_or(""), error);
  return error ? path_.value_or("") : target.string();
}

std::string SerialChoice::node(const std::string& object) const {
  return usb_ ? select_serial_port(*usb_, object).node.path.string() : path_.value_or("");
}

std::unique_ptr<ByteStream> SerialChoice::open(const SerialSettings& settings, const std::string& object) const {
  if (usb_) return open_selected_serial_stream(*usb_, settings, object);
  try {
    return open_serial_stream(path_.value_or(""), settings);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound) throw;
    throw with_serial_ports(error);
  }
}

}  // namespace hilcop
