// SPDX-License-Identifier: Apache-2.0
#include "bench/flash_config.h"

namespace hilcop {
namespace {

using nlohmann::json;
using Type = KeySpec::Type;

constexpr double kMostBytes = 9e15;

KeySpec texts(const char* name, const char* description) {
  return {.name = name, .type = Type::List, .description = description, .fallback = json::array(), .children = {{.type = Type::String}}};
}

KeySpec length(const char* description, bool required) {
  return {.name = "length_bytes", .type = Type::Integer, .description = description, .required = required, .min = 1, .max = kMostBytes};
}

KeySpec route(const char* name, const char* description, std::vector<KeySpec> keys) {
  return {.name = name, .type = Type::Map, .description = description, .children = std::move(keys)};
}

KeySpec storage(bool dump) {
  std::vector<KeySpec> keys{
      {.name = "name", .type = Type::String, .description = "of the DUT's `storage:` in lab-config", .fallback = "main"},
      {.name = "offset_bytes", .type = Type::Integer, .description = "where it begins", .fallback = 0, .min = 0, .max = kMostBytes}};
  if (dump) keys.push_back(length("how much (default: to the end of the medium)", false));
  return route("storage", "a disk that the bench can reach", std::move(keys));
}

KeySpec uboot(bool dump) {
  std::vector<KeySpec> keys{
      {.name = "console", .type = Type::String, .description = "of the DUT", .fallback = "main"},
      {.name = "prompt", .type = Type::Pattern, .description = "its prompt", .fallback = "=> $"},
      {.name = "interrupt", .type = Type::String, .description = "typed again and again until the prompt comes", .fallback = " "},
      {.name = "address", .type = Type::Integer, .description = "of memory that is free", .required = true, .min = 0, .max = kMostBytes},
      {.name = "checksum",
       .type = Type::String,
       .description = "the command that verifies: crc32, or hash sha256 where U-Boot has it",
       .fallback = "crc32",
       .choices = {"crc32", "sha256"}},
      texts("setup", "commands before: setenv ipaddr {board_ip}"),
      {.name = "block_bytes", .type = Type::Integer, .description = "{blocks} counts in these", .fallback = 512, .min = 1, .max = 1 << 24}};
  if (dump) {
    keys.push_back(length("how much", true));
    keys.push_back(
        texts("read", "commands that read it to {address}: mmc read {address} 0x800 {blocks}; none: it is memory that is dumped"));
  } else {
    keys.push_back({.name = "memory_bytes",
                    .type = Type::Integer,
                    .description = "how much may be loaded at `address`",
                    .required = true,
                    .min = 1,
                    .max = kMostBytes});
    keys.push_back({.name = "load",
                    .type = Type::String,
                    .description = "how it comes: ymodem or xmodem (over the console), tftp (from {tftp_dir} of the DUT's `flash_values:`)",
                    .fallback = "ymodem",
                    .choices = {"ymodem", "xmodem", "tftp"}});
    keys.push_back(texts("write", "commands that write it: mmc write {address} 0x800 {blocks}; none: it stays in memory"));
    keys.push_back(texts("read", "commands that read it to {address} again, by which what was written is verified"));
  }
  return route("uboot", "U-Boot's command line", std::move(keys));
}

KeySpec dfu() {
  return route("dfu", "dfu-util; finds the device by usb_path, serial or both of the DUT's `flash_values:`",
               {{.name = "device", .type = Type::String, .description = "vendor and product: 0525:a4a5", .required = true},
                {.name = "alt", .type = Type::String, .description = "name or number of its alternate setting", .required = true},
                texts("arguments", "more arguments of dfu-util"),
                {.name = "reset", .type = Type::Boolean, .description = "reset it when all is done", .fallback = true}});
}

KeySpec fastboot() {
  return route("fastboot", "fastboot; finds the device by usb_path, else serial, of the DUT's `flash_values:`; cannot verify",
               {{.name = "partition", .type = Type::String, .description = "what it calls the part", .required = true},
                texts("arguments", "more arguments, before its command"),
                {.name = "reboot", .type = Type::Boolean, .description = "reboot it when all is done", .fallback = true}});
}

KeySpec openocd(bool dump) {
  std::vector<KeySpec> keys{
      texts("config", "files of openocd: interface/stlink.cfg, target/stm32f4x.cfg"),
      texts("setup", "commands before `init`; one must choose the adapter: adapter serial {serial}, adapter usb location {usb_path}"),
      {.name = "any_adapter",
       .type = Type::Boolean,
       .description = "take whichever adapter openocd finds: only where there can be no other",
       .fallback = false},
      texts("after", "commands when all is done: reset run"),
      {.name = "address", .type = Type::Integer, .description = "where it begins", .required = dump, .min = 0, .max = kMostBytes}};
  if (dump) keys.push_back(length("how much", true));
  return route("openocd", "openocd: flash write_image, verify_image, dump_image", std::move(keys));
}

KeySpec command(bool dump) {
  auto run = texts("run", dump ? "program and arguments; it writes {output}" : "program and arguments; it writes {file} to the DUT");
  run.required = true;
  run.fallback = nullptr;
  std::vector<KeySpec> keys{run};
  if (!dump) keys.push_back(texts("read_back", "program and arguments that read it to {output}, by which it is verified"));
  return route("command", "a program of this host", std::move(keys));
}

}  // namespace

KeySpec flash_keys(bool dump) {
  std::vector<KeySpec> keys{
      {.name = "name", .type = Type::String, .description = "what --part calls it; without --part it is the first", .required = true},
      {.name = "power",
       .type = Type::String,
       .description = "what is done before: keep, off, on, or cycle (off, then on)",
       .fallback = "keep",
       .choices = {"keep", "off", "on", "cycle"}},
      {.name = "timeout_s", .type = Type::Number, .description = "for all of it", .fallback = 600, .min = 1, .max = 86'400},
      {.name = "verify",
       .type = Type::Boolean,
       .description = dump ? "prove it: a second read, or the checksum that the device says; false: it says `not verified`"
                           : "read back and compare; false: it says `not verified`",
       .fallback = true}};
  if (!dump) keys.push_back({.name = "image", .type = Type::Path, .description = "when the command names none"});
  for (auto& one : {storage(dump), uboot(dump), dfu(), openocd(dump), command(dump)}) keys.push_back(one);
  if (!dump) keys.push_back(fastboot());
  return {.name = dump ? "dump" : "flash",
          .type = Type::List,
          .description =
              dump ? "what can be read of it (hilcop dump), each by one route" : "what can be written (hilcop flash), each by one route",
          .fallback = json::array(),
          .children = {{.type = Type::Map, .children = std::move(keys)}}};
}

}  // namespace hilcop
