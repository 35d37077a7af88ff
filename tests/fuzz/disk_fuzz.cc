// SPDX-License-Identifier: Apache-2.0
// Writes, flushes and a cut by script: what was flushed is there, every other sector is its old or a newer self.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "fixtures/power_loss_disk/power_loss_disk.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kSectors = 16, kSize = kSectors * PowerLossDisk::kSector;
  const int fd = ::memfd_create("disk", MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, kSize) != 0) std::abort();
  PowerLossDisk disk(fd, kSize);
  std::vector<std::uint8_t> now(kSize), durable(kSize), seen(kSize);
  for (std::size_t i = 0; i + 3 < size; i += 4) {
    const std::uint64_t offset = data[i] * 37u % kSize, length = std::min<std::uint64_t>(data[i + 1] * 5u, kSize - offset);
    if (data[i + 3] % 8 == 0) {
      disk.flush();
      durable = now;
    } else {
      std::memset(now.data() + offset, data[i + 2], length);
      disk.write(std::span(now).subspan(offset, length), offset, false);
    }
    disk.read(seen, 0);
    if (seen != now) std::abort();
  }
  const auto report = disk.cut(static_cast<Loss>(size % 4), size);
  disk.read(seen, 0);
  for (std::uint64_t s = 0; s < kSectors; ++s) {
    const auto at = s * PowerLossDisk::kSector;
    const auto same = [&](const auto& other, std::size_t n) { return std::memcmp(seen.data() + at, other.data() + at, n) == 0; };
    const bool torn = report.torn_bytes > 0 && same(now, report.torn_bytes);
    if (!same(now, PowerLossDisk::kSector) && !same(durable, PowerLossDisk::kSector) && !torn) std::abort();
  }
  ::close(fd);
  return 0;
}
