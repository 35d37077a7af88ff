// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace hilcop {

// Of `hilcop net`, beside capture and scan, which stand at the top as well.
void add_net_up(CLI::App& net, int& status);
void add_net_status(CLI::App& net, int& status);

}  // namespace hilcop
