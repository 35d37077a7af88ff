// SPDX-License-Identifier: Apache-2.0
#include "contract/served_console_rig.h"

namespace hilcop {
namespace {

class Rfc2217Rig final : public ServedConsoleRig {
 public:
  bool has_modem_lines() const override { return true; }
  bool asserted(ModemLine line) const override { return line == ModemLine::Dtr ? server_.dtr() : server_.rts(); }
  int breaks() const override { return server_.breaks(); }
};

}  // namespace

std::unique_ptr<ConsoleRig> make_rfc2217_console_rig() { return std::make_unique<Rfc2217Rig>(); }

}  // namespace hilcop
