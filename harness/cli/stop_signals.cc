// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signals.h"

#include <signal.h>

#include "base/interrupt.h"

namespace hilcop {

void stop_on_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, [](int) { request_interrupt(); });
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace hilcop
