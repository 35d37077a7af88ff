// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "cli/table.h"
#include "network/analysis/capture_report.h"

namespace hilcop {
namespace {

using nlohmann::json;

struct Arguments {
  std::vector<std::filesystem::path> captures;
  std::string canaries;
  bool json = false;
};

// From a file: what stands on a command line every user of the host can read.
std::vector<analysis::Canary> canaries_of(const std::string& file) {
  if (file.empty()) return {};
  const auto object = "canaries of " + file;
  std::ifstream in(file);
  if (!in) throw error_from_errno(errno, object, "cannot be read");
  const auto read = json::parse(in, nullptr, false);
  std::vector<analysis::Canary> canaries;
  if (read.is_object())
    for (const auto& [name, bytes] : read.items())
      if (bytes.is_string()) canaries.push_back({name, bytes.get<std::string>()});
  if (canaries.empty() || canaries.size() != read.size())
    throw Error(ErrorKind::Config, object, "is no JSON object of names and secrets", R"(write {"wifi key": "c4n4ryWifi5521"})");
  return canaries;
}

std::string joined(const json& texts) { return fmt::format("{}", fmt::join(texts.get<std::vector<std::string>>(), ", ")); }

void print_destinations(const json& report) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : report["destinations"]) {
    const std::string by = one["named_by"];
    rows.push_back({one["name"], by.empty() ? "-" : by, joined(one["services"]), joined(one["applications"]), one["to"]["bytes"].dump(),
                    one["from"]["bytes"].dump(), one["first"], one["last"]});
  }
  std::fputs(table("Destinations", {"name", "named by", "services", "protocols", "bytes to", "bytes from", "first", "last"}, rows).c_str(),
             stdout);
}

void print_canaries(const json& report) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : report["canaries"]) {
    std::vector<std::string> frames;
    for (const auto& place : one["places"]) frames.push_back(place["frame"].dump());
    frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
    rows.push_back({one["canary"], one["form"], joined(one["within"]), one["from"], one["to"], fmt::format("{}", fmt::join(frames, ", "))});
  }
  std::fputs(table("Canaries", {"name", "form", "within", "from", "to", "frames"}, rows).c_str(), stdout);
  if (rows.empty()) fmt::print("Canaries: none found of {}\n", report["canaries_searched"].size());
}

void print_report(const json& report, bool searched) {
  fmt::print("{}: {} frames, {} to {}, {} bytes encrypted\n", report["file"].get<std::string>(), report["frames"].dump(),
             report["first"].get<std::string>(), report["last"].get<std::string>(), report["opaque_bytes"].dump());
  print_destinations(report);
  if (searched) print_canaries(report);
  for (const auto& limit : report["limits"]) fmt::print("not complete: {}\n", limit.get<std::string>());
}

}  // namespace

void add_analyse(CLI::App& app, int& status) {
  auto a = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("analyse", "what a capture says: servers, protocols, and canaries that were sent in the plain");
  command->add_option("CAPTURE", a->captures, "pcapng or pcap file; the files of a ring in their order")->required();
  command->add_option("--canaries", a->canaries, R"(JSON file of secrets to search for: {"name": "secret"})");
  command->add_flag("--json", a->json, "all of it as JSON");
  command->footer(
      "Exit status: 0 no canary was sent in the plain, 1 one was, 2 usage, 3 the capture lacks something, so that nothing is proved.");
  command->callback([a, &status] {
    analysis::CaptureReportOptions options;
    options.canaries = canaries_of(a->canaries);
    const auto report = analysis::to_json(analysis::analyse_capture(a->captures, options));
    if (a->json)
      std::printf("%s\n", report.dump(1).c_str());
    else
      print_report(report, !options.canaries.empty());
    status = !report["canaries"].empty() ? 1 : report["absence_provable"] == true ? 0 : 3;
  });
}

}  // namespace hilcop
