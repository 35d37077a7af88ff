// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "bench/selftest_record.h"
#include "bindings/calls.h"
#include "evidence/timeline.h"
#include "fixtures/catalog.h"

namespace py = pybind11;

namespace hilcop {
namespace {

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

// Keeps the timeline alive as long as the bench, and is what DUTs keep alive.
struct OpenBench {
  std::shared_ptr<Timeline> timeline;
  std::unique_ptr<Bench> bench;
};

std::vector<std::string> roles_of(const DutConfig& config) {
  std::vector<std::string> roles;
  const auto add = [&](const char* role, bool given) {
    if (given) roles.emplace_back(role);
  };
  add("power", config.power.has_value());
  add("console", config.consoles.contains("main"));
  add("reset", config.reset.has_value());
  add("button", !config.buttons.empty());
  add("output", !config.outputs.empty());
  add("input", !config.inputs.empty());
  add("meter", !config.meters.empty());
  add("usb", config.usb.has_value());
  add("network", config.network.has_value());
  add("storage", !config.storage.empty());
  return roles;
}

py::object functions_of(const Dut& dut) {
  const auto& board = dut.config().board;
  return py::module_::import("hilcop.functions")
      .attr("Functions")(dut.config().name, board.file.lexically_normal().string(), to_python(board.functions));
}

void bind_dut(py::module_& module) {
  py::class_<BootResult>(module, "BootResult", "The stages of one boot.")
      .def_readonly("begin", &BootResult::begin_offset)
      .def_readonly("stages", &BootResult::stages)
      .def_readonly("complete", &BootResult::complete)
      .def_readonly("missing", &BootResult::missing, "The stage that did not come; empty when complete.")
      .def_property_readonly(
          "starved_s", [](const BootResult& b) { return seconds(b.starved); },
          "A late boot of an emulated board: how long the host kept the emulator waiting.")
      .def_readonly("starved_only", &BootResult::starved_only,
                    "Whether that alone explains every stage that is late or missing: then the boot judges the host, not the device.");
  py::class_<Dut, std::unique_ptr<Dut, py::nodelete>>(module, "Dut", "This very unit on this bench. It keeps its bench alive.")
      .def_property_readonly("name", [](const Dut& self) { return self.config().name; })
      .def_property_readonly("board", [](const Dut& self) { return self.config().board.name; })
      .def_property_readonly(
          "board_file", [](const Dut& self) { return self.config().board.file.lexically_normal().string(); },
          "Where its board is declared.")
      .def_property_readonly(
          "roles", [](const Dut& self) { return roles_of(self.config()); },
          "Which kinds of role lab-config gives it: power, console, reset, button, output, input, meter, usb, network, storage.")
      .def_property_readonly(
          "power_timing", [](const Dut& self) { return to_python(self.power_timing()); },
          "What `hilcop calibrate` found of its power when the bench was opened: {'effect', 'utc', 'on', 'off'}, each edge with "
          "'median_s',\n"
          "'uncertainty_s', ... or None; None: never calibrated.")
      .def_property_readonly("serial_number", [](const Dut& self) { return self.config().serial_number; })
      .def_property_readonly(
          "unit_record",
          [](const Dut& self) {
            return py::module_::import("hilcop.unit_record")
                .attr("read_unit_record")(self.config().name, self.config().unit_record.string());
          },
          "What its maker knows of this very unit: the JSON object of lab-config's `unit_record:`. It has secrets: they are told to the "
          "device "
          "alone.\nConfigError: lab-config names none, or it is none.")
      .def_property_readonly("has_shell", [](const Dut& self) { return self.config().board.has_shell; })
      .def_property_readonly(
          "has_repl", [](const Dut& self) { return self.config().board.repl.has_value(); },
          "Whether its console has an interpreter that is no POSIX shell.")
      .def_property_readonly("functions", &functions_of,
                             "Texts that the board file declares, by name. One that is missing raises ConfigError.")
      .def(
          "function",
          [](const Dut& self, const std::string& name, const py::kwargs& values) { return functions_of(self).attr("fill")(name, values); },
          py::arg("function_name"),
          "The text of a function with its {values} filled in; without values as it stands. Raises ConfigError naming the board file.")
      .def_property_readonly("stages",
                             [](const Dut& self) {
                               std::vector<std::string> names;
                               for (const auto& stage : self.config().board.boot_stages) names.push_back(stage.name);
                               return names;
                             })
      .def_property_readonly("min_off_s", [](const Dut& self) { return self.config().power ? seconds(self.config().power->min_off) : 0.0; })
      .def_property_readonly("power", &Dut::power, py::return_value_policy::reference_internal)
      .def_property_readonly(
          "console", [](Dut& self) -> Console& { return self.console("main"); }, py::return_value_policy::reference_internal)
      .def(
          "console_named", [](Dut& self, const std::string& name) -> Console& { return self.console(name); }, py::arg("name"),
          py::return_value_policy::reference_internal)
      .def("button", &Dut::button, py::arg("name"), py::return_value_policy::reference_internal)
      .def("output", &Dut::output, py::arg("name"), py::return_value_policy::reference_internal)
      .def_property_readonly("usb", &Dut::usb, py::return_value_policy::reference_internal, "What it shows on USB.")
      .def_property_readonly(
          "network",
          [](py::object self) {
            auto& port = self.cast<Dut&>().network();
            const auto bound = py::cast(port, py::return_value_policy::reference_internal, self);
            return py::module_::import("hilcop.network").attr("Network")(bound);
          },
          "The bench's network that it hangs on.")
      .def(
          "ssh",
          [](const py::object& self, const py::object& user, const py::object& password, const py::object& key_file, int port,
             const std::string& address, double timeout_s) {
            return self.attr("network").attr("ssh")(py::arg("user") = user, py::arg("password") = password, py::arg("key_file") = key_file,
                                                    py::arg("port") = port, py::arg("address") = address, py::arg("timeout_s") = timeout_s);
          },
          py::kw_only(), py::arg("user"), py::arg("password") = py::none(), py::arg("key_file") = py::none(), py::arg("port") = 22,
          py::arg("address") = "", py::arg("timeout_s") = 30.0, "A shell over the bench's network; see hilcop.network.Network.ssh.")
      .def("input", &Dut::input, py::arg("name"), py::return_value_policy::reference_internal)
      .def("meter", &Dut::meter, py::arg("name"), py::return_value_policy::reference_internal)
      .def(
          "set_together",
          [](Dut& self, const std::vector<std::string>& names, bool asserted, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            std::vector<std::pair<std::int64_t, std::int64_t>> times;
            for (const auto& result : without_gil([&] { return self.set_together(names, asserted, deadline); }))
              times.emplace_back(to_ns(result.commanded), to_ns(result.acknowledged));
            return times;
          },
          py::arg("names"), py::arg("asserted"), py::kw_only(), py::arg("timeout_s") = 10.0,
          "Keys and outputs asserted, or let go, in one command; (commanded_ns, acknowledged_ns) of each. See hilcop.held for straps.")
      .def(
          "reset",
          [](Dut& self, double hold_s, double timeout_s) {
            const auto hold = deadline_in(hold_s).remaining();
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.reset(hold, deadline); });
          },
          py::kw_only(), py::arg("hold_s") = 0.1, py::arg("timeout_s") = 10.0, "Pulses the reset line.")
      .def(
          "boot_to",
          [](Dut& self, const std::string& stage, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.boot_to(stage, deadline); });
          },
          py::arg("stage") = "", py::kw_only(), py::arg("timeout_s") = 120.0,
          "Waits for the boot stages up to this one (default: the last). A stage that does not come within twice its limit ends it, "
          "incomplete.")
      .def("boot_so_far", &Dut::boot_so_far, "The stages seen since the last power-on, without waiting.")
      .def(
          "boot_log", [](Dut& self) { return without_gil([&] { return self.boot_log(); }); },
          "The boot since the last power-on or reset as the main console has it until now, with its lines. Waits at most 0.3 s, for "
          "the end of a line that is on its way. Raises ConfigError before the first power-on.");
}

}  // namespace

void bind_bench(py::module_& module) {
  bind_dut(module);
  py::class_<OpenBench>(module, "Bench",
                        "One lab-config file, opened. Use as a context manager: closing brings every output to its safe state.")
      .def(py::init([](const std::string& file, const std::string& boards_dir, std::vector<std::string> duts, const std::string& record_dir,
                       const std::string& capture_dir, double wait_s, const std::string& holder, std::shared_ptr<Timeline> timeline,
                       const std::string& keeper_socket, const std::string& faults, std::function<void(const std::string&)> on_wait,
                       bool without_selftest, bool shared_network) {
             OpenOptions options;
             options.duts = std::move(duts);
             options.record_dir = record_dir;
             options.capture_dir = capture_dir;
             options.holder = holder;
             options.shared_network = shared_network;
             options.keeper.socket = keeper_socket;
             if (!faults.empty()) options.faults = parse_line_faults(faults);
             options.on_wait = std::move(on_wait);
             if (wait_s > 0) options.wait_until = deadline_in(wait_s);
             auto& sink = *timeline;
             return without_gil([&] {
               auto config = load_bench_config(file, boards_dir.empty() ? boards_dir_above(file).string() : boards_dir, all_drivers());
               if (!without_selftest)
                 require_selftest(config, options.duts,
                                  "without_selftest=True (pytest: --hilcop-without-selftest): then nothing is proved");
               return std::make_unique<OpenBench>(OpenBench{timeline, Bench::open(std::move(config), options, all_drivers(), sink)});
             });
           }),
           py::arg("file"), py::arg("boards_dir"), py::arg("duts"), py::arg("record_dir"), py::arg("capture_dir"), py::arg("wait_s"),
           py::arg("holder"), py::arg("timeline"), py::arg("keeper_socket"), py::arg("faults"), py::arg("on_wait"),
           py::arg("without_selftest"), py::arg("shared_network"))
      .def_property_readonly("name", [](const OpenBench& self) { return self.bench->config().name; })
      .def_property_readonly("duts", [](const OpenBench& self) { return self.bench->dut_names(); })
      .def_property_readonly("timeline", [](const OpenBench& self) { return self.timeline; })
      .def(
          "dut", [](OpenBench& self, const std::string& name) -> Dut& { return self.bench->dut(name); }, py::arg("name"),
          py::return_value_policy::reference_internal)
      .def(
          "close", [](OpenBench& self) { without_gil([&] { self.bench->close(); }); },
          "Safe states, consoles flushed, leases given back. Idempotent; raises what went wrong once all is done.")
      .def("__enter__", [](py::object self) { return self; })
      .def("__exit__", [](OpenBench& self, const py::args&) { without_gil([&] { self.bench->close(); }); });
}

}  // namespace hilcop
