// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "io/block_device.h"

namespace hilcop {

/// What this host does with a disk or a partition of it: "/dev/sdb1 is mounted on /media/card", "sdb2 is swap", "sdb is part of dm-0";
/// "" when nothing is seen. Mounts of other namespaces are not seen: opening with O_EXCL is what keeps those out.
std::string host_use_of(const std::string& kernel_name, const DeviceTree& tree);

}  // namespace hilcop
