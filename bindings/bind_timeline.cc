// SPDX-License-Identifier: Apache-2.0
#include "evidence/timeline.h"

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {

void bind_timeline(py::module_& module) {
  py::class_<Timeline, std::shared_ptr<Timeline>>(module, "Timeline",
                                                  "Everything that happens, on one clock: a file of JSON lines and an event socket.")
      .def(py::init([](const std::string& file, const std::string& socket, const std::string& writer) {
             return std::shared_ptr<Timeline>(Timeline::open({file, socket, writer}));
           }),
           py::arg("file") = "", py::arg("socket") = "", py::arg("writer") = "python")
      .def(
          "emit",
          [](Timeline& self, const std::string& source, const std::string& kind, const py::dict& data) {
            auto event = make_event(source, kind, from_python(data));
            py::gil_scoped_release released;
            self.emit(std::move(event));
          },
          py::arg("source"), py::arg("kind"), py::arg("data"), "Adds an event, stamped now. Returns at once.")
      .def("check", &Timeline::check, "Raises ExhaustedError if an event could not be written (disk full).");
}

}  // namespace hilcop
