// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libusb.h>

#include <memory>

namespace hilcop {

struct EndLibusb {
  void operator()(libusb_context* context) const { libusb_exit(context); }
};
/// One use of libusb, ended with its owner.
using UsbContext = std::unique_ptr<libusb_context, EndLibusb>;

}  // namespace hilcop
