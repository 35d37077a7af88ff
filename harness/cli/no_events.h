// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/event.h"

namespace hilcop {

/// For a command that keeps no record.
class NoEvents final : public EventSink {
 public:
  void emit(Event) override {}
};

}  // namespace hilcop
