// SPDX-License-Identifier: Apache-2.0
#include "bindings/calls.h"

#include <cmath>

namespace py = pybind11;

namespace hilcop {

Deadline deadline_in(double timeout_s) {
  if (std::isnan(timeout_s) || timeout_s < 0) throw py::value_error("timeout_s must be a number of seconds from 0");
  return Deadline::in(std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(std::min(timeout_s, 86'400.0))));
}

py::object to_python(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::boolean:
      return py::bool_(value.get<bool>());
    case nlohmann::json::value_t::number_integer:
      return py::int_(value.get<std::int64_t>());
    case nlohmann::json::value_t::number_unsigned:
      return py::int_(value.get<std::uint64_t>());
    case nlohmann::json::value_t::number_float:
      return py::float_(value.get<double>());
    case nlohmann::json::value_t::string:
      return py::str(value.get<std::string>());
    case nlohmann::json::value_t::array: {
      py::list list;
      for (const auto& entry : value) list.append(to_python(entry));
      return list;
    }
    case nlohmann::json::value_t::object: {
      py::dict dict;
      for (const auto& [key, entry] : value.items()) dict[py::str(key)] = to_python(entry);
      return dict;
    }
    default:
      return py::none();
  }
}

nlohmann::json from_python(py::handle value) {
  if (value.is_none()) return nullptr;
  if (py::isinstance<py::bool_>(value)) return value.cast<bool>();
  if (py::isinstance<py::int_>(value)) return value.cast<std::int64_t>();
  if (py::isinstance<py::float_>(value)) return value.cast<double>();
  if (py::isinstance<py::str>(value)) return value.cast<std::string>();
  if (py::isinstance<py::dict>(value)) {
    auto object = nlohmann::json::object();
    for (const auto& [key, entry] : value.cast<py::dict>()) object[py::str(key).cast<std::string>()] = from_python(entry);
    return object;
  }
  if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
    auto array = nlohmann::json::array();
    for (const auto& entry : value) array.push_back(from_python(entry));
    return array;
  }
  return py::str(value).cast<std::string>();
}

}  // namespace hilcop
