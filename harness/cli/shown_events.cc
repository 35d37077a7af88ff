// SPDX-License-Identifier: Apache-2.0
#include "cli/shown_events.h"

#include <cstdlib>

#include <fmt/format.h>

#include "cli/table.h"
#include "evidence/timeline.h"

namespace hilcop {
namespace {

constexpr std::string_view kOfNetwork = "network.";

double seconds_of(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

// What of it is told: "" is not.
std::string kind_shown(const Event& event) {
  if (event.kind == "power.edge") return "power";
  return event.kind.starts_with(kOfNetwork) ? event.kind.substr(kOfNetwork.size()) : "";
}

}  // namespace

ShownEvents::ShownEvents(LinePrinter& printer, bool as_json)
    : printer_(printer), as_json_(as_json), coloured_(printer.is_terminal() && std::getenv("NO_COLOR") == nullptr) {}

void ShownEvents::emit(Event event) {
  const auto kind = kind_shown(event);
  if (kind.empty()) return;
  const std::scoped_lock lock(mutex_);
  if (as_json_) return printer_.line(to_json(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (kind == "close") return show_summary(event.data);
  show(event.steady, texts_.of(kind, event.data));
}

void ShownEvents::note(const std::string& about, const std::string& text, bool bad) {
  const std::scoped_lock lock(mutex_);
  if (!as_json_) show(real_clock().now(), {about, text, bad});
}

void ShownEvents::show(SteadyTime at, const EventText& event) {
  const auto time = fmt::format("{:9.3f}", seconds_of(at - began_)), about = fmt::format("{:<6}", printable(event.about));
  const auto text = printable(event.text);
  if (!coloured_) return printer_.line(time + "  " + about + "  " + text);
  printer_.line(fmt::format("\x1b[2m{}\x1b[0m  \x1b[1m{}\x1b[0m  {}{}{}", time, about, event.bad ? "\x1b[31m" : "", text,
                            event.bad ? "\x1b[0m" : ""));
}

void ShownEvents::show_summary(const nlohmann::json& status) {
  std::string text = fmt::format("\nin {:.1f} s:\n", seconds_of(real_clock().now() - began_));
  if (!status.contains("services")) return printer_.line(text + "  its network has told nothing: it ended too early");
  text += printable_lines(network_status_text(status));
  text.pop_back();
  printer_.line(text);
}

}  // namespace hilcop
