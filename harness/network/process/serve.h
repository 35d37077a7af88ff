// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hilcop {

/// The network process: makes a namespace of its own, then a network in it as the first line on `control` asks (docs/protocol.md), and
/// serves that socket until its other end closes. Connections to the device are handed over at `sockets`. This process must have one
/// thread. Returns the exit status.
int serve_network(int control, int sockets);

}  // namespace hilcop
