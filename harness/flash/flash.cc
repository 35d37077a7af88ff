// SPDX-License-Identifier: Apache-2.0
#include "flash/flash.h"

#include <algorithm>
#include <array>

#include "base/interrupt.h"
#include "flash/output_file.h"
#include "flash/route.h"

namespace hilcop {
namespace {

using nlohmann::json;
using Route = FlashDone (*)(const FlashJob&);

struct Routes {
  const char* name;
  Route flash, dump;
  void (*check)(const FlashJob&);  // before anything is switched
};
void check_nothing(const FlashJob&) {}
constexpr std::array<Routes, 6> kRoutes{{{"storage", flash_by_storage, dump_by_storage, check_nothing},
                                         {"uboot", flash_by_uboot, dump_by_uboot, check_uboot},
                                         {"dfu", flash_by_dfu, dump_by_dfu, check_selector},
                                         {"fastboot", flash_by_fastboot, nullptr, check_selector},
                                         {"openocd", flash_by_openocd, dump_by_openocd, check_nothing},
                                         {"command", flash_by_command, dump_by_command, check_nothing}}};

const FlashPart& chosen(const DutConfig& dut, const std::vector<FlashPart>& parts, const char* list, const std::string& name) {
  const std::string object = "dut '" + dut.name + "'";
  if (parts.empty())
    throw Error(ErrorKind::Config, object, std::string("its board says nothing under `") + list + ":`",
                std::string("add `") + list + ":` to " + dut.board.file.string() + " (boards/README.md)");
  if (name.empty()) return parts.front();
  std::string names;
  for (const auto& part : parts) {
    if (part.name == name) return part;
    names += (names.empty() ? "" : ", ") + part.name;
  }
  throw Error(ErrorKind::Config, object, std::string("its board has no ") + list + " part '" + name + "'", "choose one of: " + names);
}

// `serial_number:` is for the record and need not be what a device says on USB. An empty value chooses no device.
std::map<std::string, std::string> values_of(const DutConfig& dut, const std::filesystem::path& file) {
  auto values = dut.flash_values;
  std::erase_if(values, [](const auto& value) { return value.second.empty() && chooses_device(value.first); });
  values["dut"] = dut.name;
  values["file"] = file.string();
  return values;
}

void check_values(const FlashJob& job) {
  for (const auto& name : placeholders_of(job.part))
    if (!is_own_placeholder(name) && !job.values.contains(name))
      throw Error(ErrorKind::Config, job.object, "there is no value for {" + name + "}",
                  "give the DUT `flash_values: { " + name + ": ... }` in lab-config");
}

void prepare_power(const FlashJob& job) {
  const auto& power = job.part.power;
  if (power == "off" || power == "cycle") job.dut.power().off(json::object(), job.deadline);
  if (power == "on" || power == "cycle") job.dut.power().on(job.deadline);
}

FlashResult carry_out(Dut& dut, const FlashRequest& request, bool is_dump) {
  const auto& board = dut.config().board;
  const char* action = is_dump ? "dump" : "flash";
  const auto& part = chosen(dut.config(), is_dump ? board.dump : board.flash, action, request.part);
  const std::string object = std::string(action) + " part '" + part.name + "' of dut '" + dut.config().name + "'";
  auto file = request.file.empty() ? part.image : std::filesystem::absolute(request.file);
  if (file.empty())
    throw Error(ErrorKind::Config, object, is_dump ? "no file to write to" : "no image is named",
                is_dump ? "name one with --out" : "name one with --image, or as `image:` in " + board.file.string());
  if (!is_dump && !std::filesystem::is_regular_file(file))
    throw Error(ErrorKind::Config, object, "there is no image " + file.string(), "build it, or name another with --image");
  if (!is_dump && std::filesystem::file_size(file) == 0)
    throw Error(ErrorKind::Config, object, "image " + file.string() + " is empty", "build it again; nothing was switched or written");
  if (is_dump) file = output_place(file);
  const auto began = real_clock().now();
  const FlashJob job{
      dut, part, file, Deadline::in(request.timeout.value_or(part.timeout)), request.progress, values_of(dut.config(), file), object};
  const std::string source = dut.config().name + "/" + action;
  dut.events().emit(make_event(source, "flash.begin", {{"part", part.name}, {"route", part.route}, {"file", file.string()}}));
  FlashResult result{part.name, part.route, file, 0, "", "", "", {}};
  json end = json::object();
  try {
    const auto& route = *std::find_if(kRoutes.begin(), kRoutes.end(), [&](const auto& one) { return one.name == part.route; });
    check_values(job);
    route.check(job);
    prepare_power(job);
    const auto done = (is_dump ? route.dump : route.flash)(job);
    result.bytes = done.bytes;
    result.sha256 = done.sha256;
    result.verified_by = done.verified_by;
    result.unverified_why = done.unverified_why;
    result.elapsed = real_clock().now() - began;
    end = to_json(result);
    end["error"] = nullptr;
  } catch (const Error& error) {
    end = {{"part", part.name}, {"route", part.route}, {"error", error.to_json()}};
    dut.events().emit(make_event(source, "flash.end", end));
    throw error.while_doing("while it was done: " + object + ", by " + part.route);
  } catch (const std::exception& error) {  // Interrupted, too
    dut.events().emit(make_event(source, "flash.end", {{"part", part.name}, {"route", part.route}, {"error", {{"cause", error.what()}}}}));
    throw;
  }
  dut.events().emit(make_event(source, "flash.end", end));
  return result;
}

}  // namespace

FlashResult flash(Dut& dut, const FlashRequest& request) { return carry_out(dut, request, false); }
FlashResult dump(Dut& dut, const FlashRequest& request) { return carry_out(dut, request, true); }

json to_json(const FlashResult& result) {
  return {{"part", result.part},
          {"route", result.route},
          {"file", result.file.string()},
          {"bytes", result.bytes},
          {"sha256", result.sha256},
          {"verified_by", result.verified_by},
          {"unverified_why", result.unverified_why},
          {"elapsed_s", std::chrono::duration<double>(result.elapsed).count()}};
}

void FlashJob::step(const std::string& phase, std::uint64_t done, std::uint64_t total) const {
  if (progress) progress({phase, done, total});
  if (interrupt_requested()) throw Interrupted();
  if (deadline.expired())
    throw Error(ErrorKind::Timeout, object, "not done in time: " + phase + " was at byte " + std::to_string(done),
                "give it more: --timeout, or `timeout_s:` in the board file");
}

std::vector<std::string> FlashJob::filled(const json& texts) const {
  std::vector<std::string> all;
  for (const auto& text : texts) all.push_back(fill_in(text, values));
  return all;
}

Error FlashJob::differs(std::uint64_t offset, const std::string& means) const {
  return {ErrorKind::Protocol, object, means + ": it differs from the image from byte " + std::to_string(offset) + " on",
          "the medium, its connection or its size is not what it should be"};
}

}  // namespace hilcop
