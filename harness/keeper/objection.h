// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/error.h"

namespace hilcop {

/// For Driver::objection: what an Error of `check` says; empty: it threw none.
template <typename Check>
std::string objection_of(const Check& check) {
  try {
    check();
    return "";
  } catch (const Error& error) {
    return error.cause() + (error.remedy().empty() ? "" : ": " + error.remedy());
  }
}

}  // namespace hilcop
