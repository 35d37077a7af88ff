// SPDX-License-Identifier: Apache-2.0
#include "network/process/tools.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/paths.h"
#include "io/child_process.h"
#include "network/port/socket_address.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::size_t kMostReport = 4u << 20;  // bytes; more is no report of a device
constexpr Nanoseconds kForVersion = 10s;

struct Tool {
  const char *name, *asks_version, *ends;  // ends: how a whole report does
};
// Of Debian 12: nmap 7.93, sslscan 2.0.7, ssh-audit 2.5.0.
constexpr Tool kTools[] = {{"nmap", "--version", "</nmaprun>"}, {"sslscan", "--version", "</document>"}, {"ssh-audit", "--help", "}"}};

/// For what a program writes, with a home of nobody's settings; gone with this object.
class Workplace {
 public:
  Workplace() {
    std::string made = (temporary_dir() / "hilcop-tool-XXXXXX").string();
    if (::mkdtemp(made.data()) == nullptr) throw error_from_errno(errno, "tool of the bench network", "no folder for its report");
    path_ = made;
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const Tool& tool_named(const std::string& name) {
  for (const auto& tool : kTools)
    if (name == tool.name) return tool;
  throw Error(ErrorKind::Config, "bench network", "runs no '" + name + "'", "choose one of: nmap, sslscan, ssh-audit");
}

// The first line with a digit, without a terminal's colours: "Nmap version 7.93 ( https://nmap.org )".
std::string version_of(const Tool& tool, const Workplace& place, Deadline deadline) {
  ProcessOptions options;
  options.program = tool.name;
  options.arguments = {tool.asks_version};
  options.environment = {{"HOME", place.path().string()}};
  options.capture_output = true;
  std::istringstream said(run_process(std::move(options), deadline.at_most(kForVersion)).output);
  for (std::string line; std::getline(said, line);) {
    std::string plain;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\x1b')
        i = std::min(line.find('m', i), line.size() - 1);
      else if (std::isprint(static_cast<unsigned char>(line[i])) != 0)
        plain += line[i];
    }
    if (plain.find_first_of("0123456789") != std::string::npos) return plain.substr(0, 200);
  }
  return "";
}

std::vector<std::string> arguments_of(const Tool& tool, const std::string& address, const std::vector<int>& ports,
                                      const std::string& interface, const std::filesystem::path& report) {
  const bool v6 = address.find(':') != std::string::npos, link_local = address.starts_with("fe80:");
  const auto host = link_local ? address + "%" + interface : address;
  std::string list;
  for (const int port : ports) list += (list.empty() ? "" : ",") + std::to_string(port);
  const std::string name = tool.name;
  if (name == "nmap") {
    std::vector<std::string> words{"-sT", "-sV", "-Pn", "-n", "-p", list, "-oX", report.string()};
    if (v6) words.emplace_back("-6");
    words.push_back(host);
    return words;
  }
  if (ports.size() != 1) throw Error(ErrorKind::Config, name, "looks at one port at a time", "give one");
  if (name == "sslscan") return {"--no-colour", "--xml=" + report.string(), (v6 ? "[" + host + "]" : host) + ":" + list};
  return {"-jj", "-p", list, host};
}

std::string report_in(const std::filesystem::path& file, const Tool& tool, const ExitStatus& status, const std::string& said) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  std::string text;
  const auto incomplete = [&](const std::string& why) {
    const auto& words = said.empty() ? text : said;
    return Error(ErrorKind::Protocol, tool.name, why + " (" + status.text() + (words.empty() ? "" : ": " + words.substr(0, 300)) + ")",
                 "see whether the device serves that at this port");
  };
  if (none || size == 0) throw incomplete("has written no report");
  if (size > kMostReport) throw incomplete("has written more than a report of 4 MiB");
  std::ifstream stream(file, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(stream), {});
  if (const auto last = text.find_last_not_of(" \r\n\t"); last != std::string::npos) text.resize(last + 1);
  // What a device says of itself need not be UTF-8, as JSON is.
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  if (!text.ends_with(tool.ends)) throw incomplete("has not written its whole report");
  return text;
}

}  // namespace

json run_tool(const json& how, const std::string& address, const std::string& interface, Deadline deadline) {
  const auto& tool = tool_named(how.at("tool"));
  const auto ports = how.at("ports").get<std::vector<int>>();
  if (ports.empty()) throw Error(ErrorKind::Config, tool.name, "was given no port", "give those that are open (scan.tcp)");
  for (const int port : ports) socket_address(address, port, interface);  // throws for what is none
  const Workplace place;
  const auto report = place.path() / "report";
  ProcessOptions options;
  options.program = tool.name;
  options.arguments = arguments_of(tool, address, ports, interface, report);
  options.environment = {{"HOME", place.path().string()}};
  options.directory = place.path();
  const bool by_output = tool.ends == std::string_view("}");  // which has no option for a file
  if (by_output)
    options.output_file = report;
  else
    options.capture_output = true;
  const auto version = version_of(tool, place, deadline);
  const auto arguments = options.arguments;
  const auto begin = real_clock().now();
  const auto done = run_process(std::move(options), deadline);
  const auto text = report_in(report, tool, done.status, done.output);
  return {{"tool", tool.name},      {"version", version},
          {"arguments", arguments}, {"status", done.status.code ? json(*done.status.code) : json()},
          {"report", text},         {"took_s", std::chrono::duration<double>(real_clock().now() - begin).count()}};
}

}  // namespace hilcop
