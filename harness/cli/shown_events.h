// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <mutex>

#include "base/event.h"
#include "cli/line_printer.h"
#include "network/process/event_text.h"

namespace hilcop {

/// Shows what happens on a DUT's network, a line each: for people with the seconds since it began, safe for a terminal whatever the device
/// says; or as JSON, as on a timeline. At the network's end what was asked of it in all.
class ShownEvents final : public EventSink {
 public:
  ShownEvents(LinePrinter& printer, bool as_json);
  void emit(Event event) override;
  /// What the command itself has to say; not for JSON.
  void note(const std::string& about, const std::string& text, bool bad = false);

 private:
  void show(SteadyTime at, const EventText& event);
  void show_summary(const nlohmann::json& status);

  LinePrinter& printer_;
  const bool as_json_, coloured_;
  const SteadyTime began_ = real_clock().now();
  std::mutex mutex_;
  EventTexts texts_;
};

}  // namespace hilcop
