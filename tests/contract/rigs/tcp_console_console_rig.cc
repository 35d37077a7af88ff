// SPDX-License-Identifier: Apache-2.0
#include "contract/served_console_rig.h"

namespace hilcop {
namespace {

class TcpRig final : public ServedConsoleRig {
 public:
  TcpRig() : ServedConsoleRig({.no_telnet = true}) {}
};

}  // namespace

std::unique_ptr<ConsoleRig> make_tcp_console_console_rig() { return std::make_unique<TcpRig>(); }

}  // namespace hilcop
