// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <cstdlib>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace hilcop {
namespace {

spdlog::logger& logger() {
  // Leaked on purpose: threads may log while static objects are being destroyed.
  static spdlog::logger* instance = [] {
    auto* made = new spdlog::logger("hilcop", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %P %l: %v");
    const char* level = std::getenv("HILCOP_LOG");
    made->set_level(level != nullptr ? spdlog::level::from_str(level) : spdlog::level::warn);
    return made;
  }();
  return *instance;
}

}  // namespace

void log(LogLevel level, const std::string& text) {
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  logger().log(levels[static_cast<int>(level)], text);
}

}  // namespace hilcop
