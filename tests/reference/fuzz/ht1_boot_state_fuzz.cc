// SPDX-License-Identifier: Apache-2.0
// What lies on the boot state's partition: variables that can be written again, or nothing. With its own CRC, and with the right one.
#include <zlib.h>

#include <cstdlib>

#include "thermostatd/boot_state.h"
#include "thermostatd/error.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kBootStateSize - 4) return 0;
  const std::string rest(reinterpret_cast<const char*>(data), size);
  variables_from_blob(rest);
  const auto crc = static_cast<std::uint32_t>(::crc32(0, data, static_cast<uInt>(size)));
  const auto read = variables_from_blob(std::string(reinterpret_cast<const char*>(&crc), 4) + rest);
  if (read) {
    try {
      if (variables_from_blob(blob_of(*read)) != *read) std::abort();
    } catch (const Failure&) {  // one byte more than fits: there was no room for the end
      if (size + 1 < kBootStateSize - 4) std::abort();
    }
  }
  return 0;
}
