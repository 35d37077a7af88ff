// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pybind11/pybind11.h>

#include <nlohmann/json.hpp>

#include "base/deadline.h"
#include "base/interrupt.h"

namespace hilcop {

/// From Python's seconds. Negative and NaN are ValueError; None or more than a day is a day.
Deadline deadline_in(double timeout_s);

/// Runs a blocking call without the GIL. Ctrl-C or a scenario's time limit ends it: the Python signal handler runs and what it
/// raises comes out of the call; if it raises nothing, the call is made again.
template <typename Action>
auto without_gil(Action action) {
  while (true) {
    try {
      pybind11::gil_scoped_release released;
      return action();
    } catch (const Interrupted&) {
      clear_interrupt();
      // Only the main thread runs Python's handlers; another thread tells its own caller.
      if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
      if (!pybind11::module_::import("threading").attr("current_thread")().is(pybind11::module_::import("threading").attr("main_thread")()))
        throw;
    }
  }
}

/// JSON as Python's dict, list, str, int, float, bool, None, and back.
pybind11::object to_python(const nlohmann::json& value);
nlohmann::json from_python(pybind11::handle value);

/// One file binds one header.
void bind_error(pybind11::module_& module);
void bind_timeline(pybind11::module_& module);
void bind_console(pybind11::module_& module);
void bind_roles(pybind11::module_& module);
void bind_network(pybind11::module_& module);
void bind_analysis(pybind11::module_& module);
void bind_boot(pybind11::module_& module);
void bind_bench(pybind11::module_& module);
void bind_flash(pybind11::module_& module);
void bind_verdict(pybind11::module_& module);
void bind_interrupt(pybind11::module_& module);

}  // namespace hilcop
