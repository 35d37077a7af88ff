// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "network/intercept/intercepted_connection.h"

namespace hilcop {

// Once for all tests of a translation unit: Expired, NotJudged.
using enum InterceptCase;
using enum InterceptOutcome;

}  // namespace hilcop
