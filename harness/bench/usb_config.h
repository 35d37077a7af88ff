// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/config.h"

namespace hilcop {

/// `usb:` of a board file and of a DUT, after checking by their tables.
BoardUsb read_board_usb(const nlohmann::json& value);
UsbSelector read_usb_selector(const nlohmann::json& value);

}  // namespace hilcop
