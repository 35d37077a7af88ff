// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/capture_report.h"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {
namespace {

using Files = std::vector<std::filesystem::path>;
using Canaries = std::map<std::string, std::string>;  // a name, and its bytes
using SoFar = std::pair<std::uint64_t, std::uint64_t>;

analysis::CaptureReportOptions options_of(const Canaries& canaries, const std::optional<SoFar>& so_far, double timeout_s) {
  analysis::CaptureReportOptions options;
  for (const auto& [name, bytes] : canaries) options.canaries.push_back({name, bytes});
  if (so_far) options.so_far = analysis::WrittenSoFar{so_far->first, so_far->second};
  options.deadline = deadline_in(timeout_s);
  return options;
}

}  // namespace

void bind_analysis(py::module_& module) {
  module.def(
      "analyse_capture",
      [](const Files& files, const std::optional<SoFar>& so_far, double timeout_s) {
        const auto options = options_of({}, so_far, timeout_s);
        return to_python(without_gil([&] { return analysis::to_json(analysis::analyse_capture(files, options)); }));
      },
      py::arg("files"), py::arg("so_far"), py::kw_only(), py::arg("timeout_s"), "See hilcop.read_capture. so_far: (frames, dropped).");
  module.def(
      "find_canaries",
      [](const Files& files, const Canaries& canaries, const std::optional<SoFar>& so_far, double timeout_s) {
        const auto options = options_of(canaries, so_far, timeout_s);
        return to_python(without_gil([&] { return analysis::canaries_to_json(analysis::analyse_capture(files, options)); }));
      },
      py::arg("files"), py::arg("canaries"), py::arg("so_far"), py::kw_only(), py::arg("timeout_s"), "See hilcop.find_canaries.");
}

}  // namespace hilcop
