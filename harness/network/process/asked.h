// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"

namespace hilcop {

/// Seconds that somebody asks for, by their key: 0 where they are not given. Throws Error{Config} on `object` for more than `most` either
/// way, and for what is no number.
inline Nanoseconds seconds_asked(const nlohmann::json& how, const char* key, double most, const std::string& object, double least = 0) {
  const double seconds = how.value(key, 0.0);
  if (!(seconds >= least && seconds <= most))
    throw Error(ErrorKind::Config, object, std::string(key) + " is out of its range",
                "give " + std::to_string(least) + " to " + std::to_string(most));
  return Nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

}  // namespace hilcop
