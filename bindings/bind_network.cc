// SPDX-License-Identifier: Apache-2.0
#include "bench/network_port.h"

#include <pybind11/stl.h>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {

void bind_network(py::module_& module) {
  using Call = nlohmann::json (NetworkPort::*)(const std::string&, const nlohmann::json&, Deadline);
  const auto call = [](Call which) {
    return [which](NetworkPort& self, const std::string& what, const py::dict& how, double timeout_s) {
      const auto deadline = deadline_in(timeout_s);
      const auto given = from_python(how);
      return to_python(without_gil([&] { return (self.*which)(what, given.is_object() ? given : nlohmann::json::object(), deadline); }));
    };
  };
  py::class_<NetworkPort, std::unique_ptr<NetworkPort, py::nodelete>>(module, "NetworkPort",
                                                                      "The network process of a DUT; see hilcop.network.")
      .def("ask", call(&NetworkPort::ask), py::arg("what"), py::arg("how"), py::kw_only(), py::arg("timeout_s"))
      .def("change", call(&NetworkPort::change), py::arg("what"), py::arg("how"), py::kw_only(), py::arg("timeout_s"))
      .def(
          "connect",
          [](NetworkPort& self, const std::string& address, int port, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.connect(address, port, deadline).release(); });
          },
          py::arg("address"), py::arg("port"), py::kw_only(), py::arg("timeout_s"), "A descriptor that the caller owns.")
      .def(
          "set_link",
          [](NetworkPort& self, bool up, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.set_link(up, deadline); });
          },
          py::arg("up"), py::kw_only(), py::arg("timeout_s"))
      .def_property_readonly("trusted_ca",
                             [](const NetworkPort& self) {
                               const auto& ca = self.trusted_ca();
                               return ca ? std::optional(std::pair(ca->certificate.string(), ca->key.string())) : std::nullopt;
                             })
      .def_property_readonly("capture_file", [](const NetworkPort& self) { return self.capture_file().string(); });
}

}  // namespace hilcop
