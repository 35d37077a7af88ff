// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>

#include "io/byte_stream.h"
#include "keeper/driver.h"

namespace hilcop {

/// A console's stream, and how it is opened again.
struct ConsoleLine {
  std::unique_ptr<ByteStream> stream;
  std::function<std::unique_ptr<ByteStream>()> reopen;
};

/// Opens the console of an instrument that a worker holds. What is opened again must be the same, by its stream's name. `comes_with_power`:
/// an adapter that is not there is no error but a stream that has ended, and the first that is opened counts. Blocks for at most 10 s.
/// Throws the driver's Error.
ConsoleLine open_console_line(const Driver& driver, const InstrumentConfig& instrument, bool comes_with_power);

}  // namespace hilcop
