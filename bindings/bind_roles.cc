// SPDX-License-Identifier: Apache-2.0
#include "bench/roles.h"

#include <pybind11/stl.h>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {
namespace {

py::arg_v timeout(double seconds) { return py::arg("timeout_s") = seconds; }

void bind_power(py::module_& module) {
  py::class_<PowerEdge>(module, "PowerEdge", "One switching of a DUT's power.")
      .def_readonly("on", &PowerEdge::on)
      .def_readonly("verified_by", &PowerEdge::verified_by, "By what off was verified; empty: not verified.")
      .def_property_readonly(
          "commanded_ns", [](const PowerEdge& e) { return to_ns(e.result.commanded); },
          "Steady clock, just before the instrument was told.")
      .def_property_readonly("acknowledged_ns", [](const PowerEdge& e) { return to_ns(e.result.acknowledged); })
      .def_property_readonly("read_back", [](const PowerEdge& e) { return e.result.read_back; })
      .def_property_readonly(
          "details", [](const PowerEdge& e) { return to_python(e.result.details); },
          "What the instrument alone knows: lost sectors of disks.");
  py::class_<PowerPort, std::unique_ptr<PowerPort, py::nodelete>>(module, "PowerPort",
                                                                  "A DUT's power; off at latest when the bench closes.")
      .def(
          "on",
          [](PowerPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.on(deadline); });
          },
          py::kw_only(), timeout(60), "Switches on, after the minimum off time.")
      .def(
          "off",
          [](PowerPort& self, double timeout_s, const py::kwargs& options) {
            const auto deadline = deadline_in(timeout_s);
            const auto given = from_python(options);
            return without_gil([&] { return self.off(given.is_object() ? given : nlohmann::json::object(), deadline); });
          },
          py::kw_only(), timeout(30), "Switches off and verifies it. Further keywords are the instrument's own (loss, seed).")
      .def(
          "off_at",
          [](PowerPort& self, std::int64_t steady_ns, double timeout_s, const py::kwargs& options) {
            const auto deadline = deadline_in(timeout_s);
            const auto given = from_python(options);
            return without_gil(
                [&] { return self.off_at(from_ns(steady_ns), given.is_object() ? given : nlohmann::json::object(), deadline); });
          },
          py::arg("steady_ns"), py::kw_only(), timeout(60), "The keeper switches off at that time of the steady clock (time.monotonic_ns).")
      .def(
          "arm_cut",
          [](PowerPort& self, double timeout_s, const py::kwargs& options) {
            const auto deadline = deadline_in(timeout_s);
            const auto given = from_python(options);
            without_gil([&] { self.arm_cut(given, deadline); });
          },
          py::kw_only(), timeout(10), "Arms a cut that the instrument does itself: trigger='disk-write', disk=, count=, loss=, seed=.")
      .def(
          "wait_cut",
          [](PowerPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.wait_cut(deadline); });
          },
          py::kw_only(), timeout(60), "The edge of an armed cut; None when it did not fire in time.")
      .def(
          "state",
          [](PowerPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.state(deadline); });
          },
          py::kw_only(), timeout(10), "As the instrument reads it back; None where it cannot.")
      .def(
          "report",
          [](PowerPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return to_python(without_gil([&] { return self.report(deadline); }));
          },
          py::kw_only(), timeout(10))
      .def(
          "adjust",
          [](PowerPort& self, std::optional<double> volts, std::optional<double> amps, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            nlohmann::json setting = nlohmann::json::object();
            if (volts) setting["volts"] = *volts;
            if (amps) setting["amps"] = *amps;
            return to_python(without_gil([&] { return self.adjust(setting, deadline); }));
          },
          py::kw_only(), py::arg("volts") = py::none(), py::arg("amps") = py::none(), timeout(10),
          "Sets what a supply gives without switching it, until it is next switched off; returns what the supply says it is set to.");
}

void bind_meter(py::module_& module) {
  py::class_<Reading>(module, "Reading", "What a meter showed.")
      .def_readonly("value", &Reading::value)
      .def_readonly("unit", &Reading::unit, "SI, without prefix: V, A, W.")
      .def_property_readonly(
          "at_ns", [](const Reading& r) { return to_ns(r.at); }, "Steady clock, when the instrument had answered.");
  py::class_<Meter, std::unique_ptr<Meter, py::nodelete>>(module, "Meter", "A quantity that the bench measures.")
      .def(
          "read",
          [](Meter& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.read(deadline); });
          },
          py::kw_only(), timeout(10));
}

}  // namespace

void bind_roles(py::module_& module) {
  bind_power(module);
  bind_meter(module);
  py::class_<DigitalOutput, std::unique_ptr<DigitalOutput, py::nodelete>>(module, "DigitalOutput")
      .def(
          "set",
          [](DigitalOutput& self, bool asserted, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.set(asserted, deadline); });
          },
          py::arg("asserted"), py::kw_only(), timeout(10));
  py::class_<DigitalInput, std::unique_ptr<DigitalInput, py::nodelete>>(module, "DigitalInput")
      .def(
          "get",
          [](DigitalInput& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.get(deadline); });
          },
          py::kw_only(), timeout(10))
      .def(
          "wait_for",
          [](DigitalInput& self, bool level, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.wait_for(level, 20ms, deadline); });
          },
          py::arg("level"), py::kw_only(), timeout(10), "True once the level is there; looks every 20 ms.");
  py::class_<Button, std::unique_ptr<Button, py::nodelete>>(module, "Button")
      .def(
          "press",
          [](Button& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.press(deadline); });
          },
          py::kw_only(), timeout(10))
      .def(
          "release",
          [](Button& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.release(deadline); });
          },
          py::kw_only(), timeout(10))
      .def(
          "hold",
          [](Button& self, double length_s, double timeout_s) {
            const auto length = deadline_in(length_s).remaining();
            const auto deadline = deadline_in(timeout_s);
            return std::chrono::duration<double>(without_gil([&] { return self.hold(length, deadline); })).count();
          },
          py::arg("length_s"), py::kw_only(), timeout(60), "Presses, waits, releases; returns how long it was really held, in seconds.");
}

}  // namespace hilcop
