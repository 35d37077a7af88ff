// SPDX-License-Identifier: Apache-2.0
#include "bindings/calls.h"

PYBIND11_MODULE(_hilcop, module) {
  module.doc() = "The C++ half of hilcop. Use the package `hilcop`.";
  hilcop::bind_error(module);
  hilcop::bind_interrupt(module);
  hilcop::bind_verdict(module);
  hilcop::bind_timeline(module);
  hilcop::bind_console(module);
  hilcop::bind_roles(module);
  hilcop::bind_network(module);
  hilcop::bind_analysis(module);
  hilcop::bind_boot(module);
  hilcop::bind_bench(module);
  hilcop::bind_flash(module);
}
