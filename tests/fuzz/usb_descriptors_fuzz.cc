// SPDX-License-Identifier: Apache-2.0
// Descriptors as a device wrote them: at most one interface for every nine bytes, and an end.
#include <cstdlib>

#include "io/usb_descriptors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (hilcop::usb_functions({data, size}).size() > size / 9) std::abort();
  return 0;
}
