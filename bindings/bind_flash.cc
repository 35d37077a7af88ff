// SPDX-License-Identifier: Apache-2.0
#include "flash/flash.h"

#include <pybind11/stl.h>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {
namespace {

FlashRequest request_of(const std::string& part, const std::string& file, std::optional<double> timeout_s) {
  FlashRequest request;
  request.part = part;
  request.file = file;
  if (timeout_s) request.timeout = deadline_in(*timeout_s).remaining();
  return request;
}

}  // namespace

void bind_flash(py::module_& module) {
  py::class_<FlashResult>(module, "FlashResult", "What was written to a DUT, or read of it.")
      .def_readonly("part", &FlashResult::part)
      .def_readonly("route", &FlashResult::route)
      .def_property_readonly("file", [](const FlashResult& r) { return r.file.string(); })
      .def_readonly("bytes", &FlashResult::bytes)
      .def_readonly("sha256", &FlashResult::sha256)
      .def_readonly("verified_by", &FlashResult::verified_by, "By what it was verified; empty: it was not.")
      .def_readonly("unverified_why", &FlashResult::unverified_why)
      .def_property_readonly("elapsed_s", [](const FlashResult& r) { return std::chrono::duration<double>(r.elapsed).count(); });
  const py::object dut = module.attr("Dut");
  dut.attr("flash") = py::cpp_function(
      [](Dut& self, const std::string& image, const std::string& part, std::optional<double> timeout_s) {
        const auto request = request_of(part, image, timeout_s);
        return without_gil([&] { return flash(self, request); });
      },
      py::name("flash"), py::is_method(dut), py::arg("image") = "", py::kw_only(), py::arg("part") = "", py::arg("timeout_s") = py::none(),
      "Writes an image by the route that the board file says, and verifies it. A difference raises ProtocolError.");
  dut.attr("dump") = py::cpp_function(
      [](Dut& self, const std::string& out, const std::string& part, std::optional<double> timeout_s) {
        const auto request = request_of(part, out, timeout_s);
        return without_gil([&] { return dump(self, request); });
      },
      py::name("dump"), py::is_method(dut), py::arg("out"), py::kw_only(), py::arg("part") = "", py::arg("timeout_s") = py::none(),
      "Reads a part of the DUT into a file, which is there whole or not at all.");
}

}  // namespace hilcop
