// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>

#include "io/byte_stream.h"
#include "io/line_faults.h"

namespace hilcop {

/// The faults of one line over all of its connections: a stream that is opened again goes on where the last one broke.
struct LineFaultState {
  LineFaultState(const LineFaults& faults, const std::function<void(const LineFault&)>& told)
      : settings(faults), from_device(faults, false, told), to_device(faults, true, told) {}
  LineFaults settings;
  FaultPlan from_device, to_device;
};

/// Another stream made faulty: bytes dropped, duplicated, a bit of them flipped; stalls; disconnects (Error{Disconnected}: open
/// again). A stall is real: nothing is readable meanwhile. Each fault is told when it happens.
std::unique_ptr<ByteStream> make_faulty_stream(std::unique_ptr<ByteStream> inner, std::shared_ptr<LineFaultState> state);

}  // namespace hilcop
