// SPDX-License-Identifier: Apache-2.0
#include "report/timeline_svg.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "report/report.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr double kWidth = 1000, kLeft = 70, kRight = 20, kRow = 86;

std::string dut_of(const json& entry) {
  const std::string source = entry.value("source", "");
  return source.substr(0, source.find('/'));
}

// A step of 1, 2 or 5 times a power of ten that gives at most ten ticks.
double tick_step(double span) {
  double step = 1e-3;
  for (int i = 0; span / step > 10; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}

}  // namespace

std::string time_axis(double left, double right, double span, double height) {
  std::string svg;
  const double step = tick_step(span), scale = (right - left) / span;
  for (double t = 0; t <= span; t += step) {
    const double x = left + t * scale;
    svg += fmt::format(
        R"(<line class="grid" x1="{0:.1f}" y1="8" x2="{0:.1f}" y2="{1:.1f}"/><text class="tick" x="{0:.1f}" y="{2:.1f}">{3:g} s</text>)", x,
        height - 20, height - 6, t);
  }
  return svg;
}

std::string timeline_svg(const json& record) {
  std::set<std::string> duts;
  for (const auto& scenario : record["scenarios"]) duts.insert(scenario["dut"].get<std::string>());
  const auto begin = record.value("begin_ns", std::int64_t{0});
  const double span = std::max(record.value("elapsed_s", 1.0), 0.1), scale = (kWidth - kLeft - kRight) / span;
  const double height = kRow * static_cast<double>(duts.size()) + 34;
  const auto x_of = [&](std::int64_t ns) { return kLeft + static_cast<double>(ns - begin) / 1e9 * scale; };
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="Timeline: power and boot stages of each device">)",
                                kWidth, height) +
                    time_axis(kLeft, kWidth - kRight, span, height);
  double top = 10;
  for (const auto& dut : duts) {
    const double high = top + 26, low = top + 60;
    svg += fmt::format(
        R"(<text class="dut" x="4" y="{:.1f}">{}</text><text class="tick left" x="{}" y="{:.1f}">on</text><text class="tick left" x="{}" y="{:.1f}">off</text>)",
        top + 14, escaped(dut), kLeft - 6, high + 4, kLeft - 6, low + 4);
    std::string path = fmt::format("M{} {}", kLeft, low);
    bool on = false;
    std::string marks;
    for (const auto& edge : record["power_edges"]) {
      if (dut_of(edge) != dut) continue;
      const double x = x_of(edge["acknowledged_ns"]);
      on = edge["on"];
      path += fmt::format(" H{:.1f} V{}", x, on ? high : low);
      std::uint64_t lost = 0, kept = 0;
      for (const auto& disk : edge["details"].value("disks", json::array()))
        lost += disk.value("lost_sectors", 0u), kept += disk.value("kept_sectors", 0u);
      if (lost > 0)
        marks += fmt::format(R"(<circle class="lost" cx="{:.1f}" cy="{}" r="4"><title>{} sectors lost, {} kept ({})</title></circle>)", x,
                             low, lost, kept, escaped(edge["details"].value("loss", "")));
    }
    path += fmt::format(" H{:.1f}", kWidth - kRight);
    svg += fmt::format(R"(<path class="power" d="{}"/>)", path);
    for (const auto& stage : record["boots"]) {
      if (dut_of(stage) != dut || !stage.contains("stage")) continue;
      svg += fmt::format(R"(<line class="{}" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"><title>boot {}: {} after {:.2f} s</title></line>)",
                         stage["within"] == true ? "stage" : "stage late", x_of(stage["steady_ns"]), high - 12, x_of(stage["steady_ns"]),
                         high, stage["boot"].dump(), escaped(stage["stage"]), stage["elapsed_s"].get<double>());
    }
    svg += marks;
    top += kRow;
  }
  return svg + "</svg>";
}

}  // namespace hilcop
