// SPDX-License-Identifier: Apache-2.0
#include "io/gpio_chips.h"

#include <string.h>

#include <algorithm>

namespace hilcop {

namespace fs = std::filesystem;

std::vector<GpioChip> gpio_chips(const DeviceTree& tree) {
  std::vector<GpioChip> chips;
  std::error_code none;
  for (fs::directory_iterator entry(tree.sys / "bus/gpio/devices", none), end; !none && entry != end; entry.increment(none)) {
    GpioChip chip;
    chip.name = entry->path().filename();
    chip.node = look_at_node(tree.dev / chip.name);
    chip.usb = usb_identity_of(entry->path(), tree);
    // The chip itself has the bus's own driver, if any; what it is part of has the one that tells.
    std::error_code gone;
    chip.driver = link_name(fs::canonical(entry->path(), gone).parent_path() / "driver");
    chips.push_back(std::move(chip));
  }
  std::sort(chips.begin(), chips.end(),
            [](const GpioChip& a, const GpioChip& b) { return ::strverscmp(a.name.c_str(), b.name.c_str()) < 0; });
  return chips;
}

}  // namespace hilcop
