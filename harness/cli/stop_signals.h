// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hilcop {

/// From now on SIGINT, SIGTERM and SIGHUP end every wait with Interrupted, so that safe states are reached on the way out.
void stop_on_signals();

}  // namespace hilcop
