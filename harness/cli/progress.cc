// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace hilcop {
namespace {

using nlohmann::json;

double seconds_since(SteadyTime t) { return std::chrono::duration<double>(real_clock().now() - t).count(); }

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 10 ? size.ws_col : 80;
}

}  // namespace

std::string coloured(const std::string& verdict) {
  if (::isatty(1) == 0 || std::getenv("NO_COLOR") != nullptr) return verdict;
  const char* colour = verdict == "Pass" ? "32" : verdict == "Fail" ? "31" : "33";
  return fmt::format("\x1b[1;{}m{}\x1b[0m", colour, verdict);
}

Progress::Progress(bool quiet, bool faulty) : quiet_(quiet), faulty_(faulty), terminal_(::isatty(1) != 0) {
  if (terminal_ && !quiet_) ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
}

void Progress::tick(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    stopped_.wait_for(lock, stop, 1s, [] { return false; });
    redraw();
  }
}

Progress::~Progress() {
  ticker_ = {};
  if (terminal_ && !quiet_) std::printf("\r\x1b[K");
  std::fflush(stdout);
}

void Progress::line(const std::string& text) {
  if (quiet_) return;
  std::printf("%s[%6.1f s] %s\n", terminal_ ? "\r\x1b[K" : "", seconds_since(began_), text.c_str());
  std::fflush(stdout);
}

void Progress::redraw() {
  if (quiet_ || !terminal_) return;
  std::string all;
  for (const auto& [name, dut] : duts_) {
    if (dut.scenario.empty()) continue;
    std::string eta;
    if (dut.index > 1 && dut.of > 0) {
      const double spent = seconds_since(dut.began);
      eta = fmt::format(", about {:.0f} s left", spent / (dut.index - 1) * (dut.of - dut.index + 1));
    }
    all += fmt::format("{}{}: {}: {}{}", all.empty() ? "" : " | ", name, dut.scenario, dut.step, eta);
  }
  std::string text = fmt::format("{:6.0f} s  {}", seconds_since(began_), all);
  if (text.size() >= terminal_width()) text.resize(terminal_width() - 1);
  std::printf("\r\x1b[K%s", text.c_str());
  std::fflush(stdout);
}

void Progress::take(const json& event) {
  const std::string kind = event.value("kind", "");
  const json d = event.value("data", json::object());
  const std::string name = d.value("dut", "");
  const std::scoped_lock lock(mutex_);
  auto& dut = duts_[name];
  if (kind == "scenario.begin") {
    dut = {d.value("id", ""), "", real_clock().now(), 0, 0};
    line(fmt::format("{}: {} begins: {}", name, dut.scenario, d.value("title", "")));
  } else if (kind == "step.begin") {
    dut.step = d.value("text", "");
    if (d["index"].is_number()) dut.index = d["index"];
    if (d["of"].is_number()) dut.of = d["of"];
    if (!terminal_) line(fmt::format("{}: {}", name, dut.step));
  } else if (kind == "check.verdict") {
    const std::string said = d.value("verdict", "");
    const std::string shown = faulty_ ? coloured("Inconclusive") + " (said " + said + ")" : coloured(said);
    line(fmt::format("{}: {}: {}: {} {}", name, d.value("scenario", ""), d.value("check", ""), shown, d.value("observed", "")));
  } else if (kind == "waiting") {
    std::fprintf(stderr, "%shilcop: %s: %s\n", terminal_ && !quiet_ ? "\r\x1b[K" : "", name.c_str(), d.value("text", "").c_str());
  } else if (kind == "scenario.lost") {
    line(fmt::format("{}: {}: {} {}", name, d.value("id", ""), coloured("Error"), d["error"].value("cause", "")));
  } else if (kind == "scenario.not_run") {
    line(fmt::format("{}: {}: {} {}", name, d.value("id", ""), coloured("NotRun"), d.value("reason", "")));
  } else if (kind == "scenario.end" && !d["error"].is_null()) {
    line(fmt::format("{}: {}: {} {}", name, d.value("id", ""), coloured("Error"), d["error"].value("cause", "")));
  }
  if (name.empty()) duts_.erase(name);
  redraw();
}

}  // namespace hilcop
