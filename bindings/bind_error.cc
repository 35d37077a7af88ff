// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {

// The classes live in hilcop.errors: Python makes Python's exceptions best. Looked up when one is thrown.
void bind_error(py::module_&) {
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      const auto made = py::module_::import("hilcop.errors")
                            .attr("make")(to_string(error.kind()), error.object(), error.cause(), error.remedy(), error.what());
      PyErr_SetObject(py::type::of(made).ptr(), made.ptr());
    } catch (const Interrupted&) {
      PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
}

}  // namespace hilcop
