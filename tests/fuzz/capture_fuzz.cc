// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture: it ends, and every packet lies within the file and is counted.
#include <cstdlib>
#include <fstream>

#include "base/error.h"
#include "capture/capture_reader.h"
#include "fakes/temp_dir.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TempDir temp;
  const auto file = temp.path() / "a.pcapng";
  std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    CaptureReader reader(file);
    std::uint64_t frames = 0;
    while (const auto packet = reader.next()) {
      if (packet->frame != ++frames || packet->offset + packet->bytes.size() > size) std::abort();
      if (packet->interface >= reader.interfaces().size() || packet->length < packet->bytes.size()) std::abort();
    }
    if (reader.next()) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Protocol) std::abort();  // no capture
  }
  return 0;
}
