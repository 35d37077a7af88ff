// SPDX-License-Identifier: Apache-2.0
#include "compliance/verdict.h"

#include <pybind11/stl.h>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {

void bind_verdict(py::module_& module) {
  py::enum_<Verdict>(module, "Verdict", "What a check found; see harness/compliance/docs/verdicts.md.")
      .value("Pass", Verdict::Pass)
      .value("Fail", Verdict::Fail)
      .value("Inconclusive", Verdict::Inconclusive)
      .value("NotApplicable", Verdict::NotApplicable)
      .value("Attested", Verdict::Attested)
      .value("Error", Verdict::Error)
      .value("NotRun", Verdict::NotRun);
  module.def(
      "worst", [](const std::vector<Verdict>& verdicts) { return worst(verdicts); }, py::arg("verdicts"),
      "The worst: Fail > Error > Inconclusive > NotRun > Attested > Pass; of none: NotRun.");
}

}  // namespace hilcop
