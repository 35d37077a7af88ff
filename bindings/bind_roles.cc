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

void bind_usb(py::module_& module) {
  py::class_<UsbFunction>(module, "UsbInterface", "One setting of an interface, in use or not.")
      .def_readonly("configuration", &UsbFunction::configuration)
      .def_readonly("number", &UsbFunction::interface)
      .def_readonly("alternate", &UsbFunction::alternate)
      .def_readonly("class_code", &UsbFunction::class_code)
      .def_property_readonly(
          "class_name", [](const UsbFunction& f) { return usb_class_name(f.class_code); }, "As in a board file: 'hid', 'mass-storage'.")
      .def_readonly("subclass", &UsbFunction::subclass)
      .def_readonly("protocol", &UsbFunction::protocol);
  py::class_<UsbShown>(module, "UsbDevice", "A USB device as it shows itself.")
      .def_property_readonly("vid", [](const UsbShown& d) { return d.id.vid; })
      .def_property_readonly("pid", [](const UsbShown& d) { return d.id.pid; })
      .def_property_readonly("serial", [](const UsbShown& d) { return d.id.serial; })
      .def_property_readonly("manufacturer", [](const UsbShown& d) { return d.id.manufacturer; })
      .def_property_readonly("product", [](const UsbShown& d) { return d.id.product; })
      .def_property_readonly("path", [](const UsbShown& d) { return d.id.path; })
      .def_readonly("speed_mbps", &UsbShown::speed_mbps)
      .def_readonly("class_code", &UsbShown::class_code, "Of the device; 0: each interface has its own.")
      .def_readonly("interfaces", &UsbShown::functions, "Of every configuration and setting.");
  py::class_<UsbPort, std::unique_ptr<UsbPort, py::nodelete>>(module, "UsbPort", "What a DUT shows at its USB socket.")
      .def("present", [](UsbPort& self) { return without_gil([&] { return self.present(); }); })
      .def(
          "devices", [](UsbPort& self) { return without_gil([&] { return self.devices(); }); }, "All at its socket and below.")
      .def(
          "device", [](UsbPort& self) { return without_gil([&] { return self.device(); }); },
          "The one that lab-config means. Raises NotFoundError, naming what is there instead.")
      .def(
          "wait_present",
          [](UsbPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.wait_present(deadline); });
          },
          py::kw_only(), timeout(30), "False when nothing came in time.")
      .def(
          "wait_absent",
          [](UsbPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.wait_absent(deadline); });
          },
          py::kw_only(), timeout(30), "False when something is still there.")
      .def(
          "reset",
          [](UsbPort& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.reset(deadline); });
          },
          py::kw_only(), timeout(10), "Resets the USB port: the device starts its USB side again.")
      .def(
          "unexpected", [](UsbPort& self) { return without_gil([&] { return self.unexpected(); }); },
          "What was seen since the bench was opened and the board file does not declare; a sentence each.")
      .def(
          "capture",
          [](const py::object& self, const py::object& file, const std::string& name, std::uint64_t file_bytes, int files, double file_s) {
            return py::module_::import("hilcop.captures").attr("usb_capture")(self, file, name, file_bytes, files, file_s);
          },
          py::arg("file"), py::kw_only(), py::arg("name") = "extra", py::arg("file_bytes") = 0, py::arg("files") = 0,
          py::arg("file_s") = 0.0,
          "As long as the block runs, what passes between this host and the DUT's USB is recorded in a file that must not exist (usbmon; "
          "pcapng, which Wireshark reads): each request, its data, its answer; what the bench does meanwhile stands as comments. Begin it "
          "before the power to have the device's first words. The dict has its figures after that ({packets, dropped, snapped, files...}): "
          "an absence is proved only where nothing was dropped and of no packet a part is missing (snapped). file_bytes, files, file_s: a "
          "ring of files, as Network.capture has it. A block that ends well raises what could not be written: ExhaustedError where the "
          "disk is full. UnsupportedError: this kernel has no usbmon. PermissionDeniedError.")
      .def(
          "sync_capture",
          [](UsbPort& self, const std::string& name, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return to_python(without_gil([&] { return self.sync_capture(name, deadline); }));
          },
          py::arg("name") = "extra", py::kw_only(), timeout(5), "Returns when all that had passed is in the file, with the figures so far.")
      .def(
          "_start_capture",
          [](UsbPort& self, const std::string& name, const std::string& file, const py::object& ring) {
            const auto files = capture_ring_from_json(from_python(ring), "capture " + file);
            without_gil([&] { self.start_capture(name, file, files); });
          },
          py::arg("name"), py::arg("file"), py::arg("ring"))
      .def(
          "_stop_capture",
          [](UsbPort& self, const std::string& name) { return to_python(without_gil([&] { return self.stop_capture(name); })); },
          py::arg("name"));
}

}  // namespace

void bind_roles(py::module_& module) {
  bind_power(module);
  bind_usb(module);
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
