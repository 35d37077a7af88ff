// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <array>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {
namespace {

// Python's C-level handler only notes the signal; the Python handler runs when bytecode runs again, which a wait without the GIL
// does not do. So ours stands in front: it wakes every wait, then hands on to Python's.
std::array<struct sigaction, 65> python_handlers;

void wake_and_hand_on(int number, siginfo_t* info, void* context) {
  request_interrupt();
  const auto& next = python_handlers[static_cast<std::size_t>(number)];
  if ((next.sa_flags & SA_SIGINFO) != 0)
    next.sa_sigaction(number, info, context);
  else if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN)
    next.sa_handler(number);
}

void wake_waits_on(int number) {
  if (number < 1 || number > 64) throw py::value_error("no such signal");
  struct sigaction ours {};
  struct sigaction now {};
  ::sigaction(number, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == wake_and_hand_on) return;
  python_handlers[static_cast<std::size_t>(number)] = now;
  ours.sa_sigaction = wake_and_hand_on;
  ours.sa_flags = SA_SIGINFO;
  ::sigaction(number, &ours, nullptr);
}

}  // namespace

void bind_interrupt(py::module_& module) {
  module.def("wake_waits_on", &wake_waits_on, py::arg("signal_number"),
             "From now on this signal ends every wait of hilcop; its Python handler runs then. Call again after signal.signal().");
  module.def(
      "wait_until", [](std::int64_t steady_ns) { without_gil([&] { wait_until(Deadline(from_ns(steady_ns))); }); }, py::arg("steady_ns"),
      "Waits until that time of the steady clock (time.monotonic_ns()); ends at once on Ctrl-C or a scenario's time limit.");
  module.def("clear_interrupt", &clear_interrupt, "Forgets an interrupt that was requested: after its handler has run outside of a wait.");
}

}  // namespace hilcop
