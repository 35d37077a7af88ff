// SPDX-License-Identifier: Apache-2.0
// Boot stages: the spread of each over all boots, then each boot as a bar, on one time axis.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "report/report.h"
#include "report/timeline_svg.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr double kSpreadWidth = 1000, kSpreadLeft = 110, kSpreadRight = 20, kSpreadRow = 22;
constexpr int kColours = 5;

struct Chart {
  std::vector<std::string> stages;  // in the order of the most complete boot
  std::map<std::string, std::vector<double>> times;
  std::map<std::string, double> limits;
  std::vector<std::pair<std::string, std::vector<json>>> boots;  // number, its stages
  double longest = 0;

  // A run whose worker was replaced counts its boots from 1 again: a boot begins where its event stands.
  Chart(const json& record, const std::string& dut) {
    for (const auto& entry : record["boots"]) {
      if (entry.value("source", "") != dut) continue;
      const std::string number = escaped(entry.value("boot", json()).dump());
      if (!entry.contains("stage") || boots.empty()) boots.emplace_back(number, std::vector<json>{});
      if (!entry.contains("stage")) continue;
      boots.back().second.push_back(entry);
      const double at = entry["elapsed_s"];
      times[entry["stage"]].push_back(at);
      limits[entry["stage"]] = entry["limit_s"];
      longest = std::max(longest, at);
    }
    for (const auto& [number, seen] : boots)
      if (seen.size() > stages.size()) {
        stages.clear();
        for (const auto& stage : seen) stages.push_back(stage["stage"]);
      }
    for (auto& [stage, list] : times) {
      std::sort(list.begin(), list.end());
      if (std::find(stages.begin(), stages.end(), stage) == stages.end()) stages.push_back(stage);
    }
  }

  std::size_t colour(const std::string& stage) const {
    return static_cast<std::size_t>(std::find(stages.begin(), stages.end(), stage) - stages.begin()) % kColours;
  }
};

// Between the ranks where it falls (as spreadsheets do).
double quantile(const std::vector<double>& sorted, double q) {
  const double rank = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (rank - static_cast<double>(below));
}

// Least to most as a line, the middle half as a box, the median as a stroke.
std::string spread_row(const Chart& chart, const std::string& stage, double top, double scale) {
  const auto& times = chart.times.at(stage);
  const double low = times.front(), high = times.back(), median = quantile(times, 0.5), middle = top + kSpreadRow / 2;
  const auto x = [&](double at) { return kSpreadLeft + at * scale; };
  const double box = quantile(times, 0.25), box_end = quantile(times, 0.75);
  return fmt::format(
      R"(<text class="tick left" x="{}" y="{:.1f}">{}</text><g class="spread"><title>{}: {} boots, least {:.3f} s, median {:.3f} s, most {:.3f} s, spread {:.3f} s, limit {:g} s</title><rect class="hover" x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/><line class="whisker" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/><line class="whisker" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/><line class="whisker" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/><rect class="bar b{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="12"/><line class="median" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/></g>)",
      kSpreadLeft - 8, middle + 4, escaped(stage), escaped(stage), times.size(), low, median, high, high - low, chart.limits.at(stage),
      kSpreadLeft, top, kSpreadWidth - kSpreadLeft - kSpreadRight, kSpreadRow, x(low), middle, x(high), middle, x(low), middle - 4, x(low),
      middle + 4, x(high), middle - 4, x(high), middle + 4, chart.colour(stage), x(box), middle - 6, std::max(1.0, x(box_end) - x(box)),
      x(median), middle - 8, x(median), middle + 8);
}

std::string boot_row(const Chart& chart, const std::string& number, const std::vector<json>& stages, double top, double row, double scale) {
  std::string svg;
  if (row > 10) svg += fmt::format(R"(<text class="tick left" x="{}" y="{:.1f}">boot {}</text>)", kSpreadLeft - 8, top + row * 0.7, number);
  double from = 0;
  for (const auto& stage : stages) {
    const double to = stage["elapsed_s"];
    const bool late = stage["within"] == false;
    svg += fmt::format(
        R"(<rect class="bar b{}{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>boot {}: {} after {:.3f} s (limit {:g} s){}</title></rect>)",
        chart.colour(stage["stage"]), late ? " late" : "", kSpreadLeft + from * scale, top, std::max(0.5, (to - from) * scale), row - 3,
        number, escaped(stage["stage"]), to, stage["limit_s"].get<double>(), late ? ": late" : "");
    from = std::max(from, to);
  }
  if (stages.empty() || stages.back()["stage"] != chart.stages.back())
    svg += fmt::format(R"(<text class="tick cut" x="{:.1f}" y="{:.1f}">×<title>boot {} did not come to '{}'</title></text>)",
                       kSpreadLeft + from * scale + 8, top + row * 0.7, number, escaped(chart.stages.back()));
  return svg;
}

}  // namespace

std::string boots_svg(const json& record, const std::string& dut) {
  const Chart chart(record, dut);
  if (chart.stages.empty()) return "";
  const double span = std::max(chart.longest, 1e-3) * 1.05, scale = (kSpreadWidth - kSpreadLeft - kSpreadRight) / span;
  const double row = chart.boots.size() > 40 ? 8 : 18;
  const double bars = 14 + kSpreadRow * static_cast<double>(chart.stages.size());
  const double height = bars + row * static_cast<double>(chart.boots.size()) + 30;
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="Boot stages of {}: their spread, and each boot">)",
                                kSpreadWidth, height, escaped(dut)) +
                    time_axis(kSpreadLeft, kSpreadWidth - kSpreadRight, span, height);
  double top = 8;
  for (const auto& stage : chart.stages) svg += spread_row(chart, stage, top, scale), top += kSpreadRow;
  svg += fmt::format(R"(<line class="grid" x1="0" y1="{0:.1f}" x2="{1}" y2="{0:.1f}"/>)", top + 2, kSpreadWidth);
  top = bars;
  for (const auto& [number, stages] : chart.boots) svg += boot_row(chart, number, stages, top, row, scale), top += row;
  return svg + "</svg>";
}

std::string boots_legend(const json& record, const std::string& dut) {
  const Chart chart(record, dut);
  std::string html;
  for (const auto& stage : chart.stages) html += fmt::format(R"(<span class="key b{}"></span>{})", chart.colour(stage), escaped(stage));
  return html;
}

std::string boot_lines_html(const json& record, const std::string& dut) {
  const auto& all = record.value("boot_lines", json::object());
  if (!all.contains(dut)) return "";
  const auto& lines = all[dut]["lines"];
  const auto boots = all[dut].value("boots", 0);
  if (boots < 2)
    return fmt::format(R"(<p class="note">Lines are not compared: that takes two complete boots without a doubt, and there is {}.</p>)",
                       boots == 0 ? "none" : "one");
  if (lines.empty()) return fmt::format("<p>Every line stands in each of the {} complete boots.</p>", boots);
  std::string html = fmt::format(
      R"(<details class="boot-lines"><summary>Lines that not every one of {} complete boots has: {}</summary><table><thead><tr><th>Boots</th><th>Line</th><th>Where</th></tr></thead><tbody>)",
      boots, lines.size());
  for (const auto& line : lines)
    html += fmt::format(R"(<tr><td>{} of {}</td><td><code>{}</code></td><td><a href="#{}-{}">{} line {}</a></td></tr>)",
                        line.value("in_boots", 0), line.value("of", 0), escaped(line.value("text", "")), anchor(line.value("file", "")),
                        line.value("line", 0), escaped(line.value("file", "")), line.value("line", 0));
  return html + "</tbody></table></details>";
}

}  // namespace hilcop
