// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <fmt/format.h>

namespace hilcop {

enum class LogLevel { Debug, Info, Warning, Error };

/// Diagnostics of the harness itself, to stderr (level from $HILCOP_LOG: debug, info, warning, error; default warning).
/// What happened on the bench goes to the timeline instead. Nothing is logged and thrown as well.
void log(LogLevel level, const std::string& text);

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  log(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace hilcop
