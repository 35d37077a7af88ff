// SPDX-License-Identifier: Apache-2.0
#include "console/boot_log.h"

#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "bench/run_boots.h"
#include "bindings/calls.h"
#include "console/reference_boots.h"

namespace py = pybind11;

namespace hilcop {
namespace {

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

std::vector<BootLine> new_lines(const BootLog& boot, const ReferenceBoots& reference) {
  std::vector<BootLine> lines;
  for (const auto& one : reference.not_in(boot)) lines.push_back(boot.lines[one.line]);
  return lines;
}

// A line that is absent stands nowhere: the evidence is the part that was looked through.
std::vector<BootLine> missing_lines(const BootLog& boot, const ReferenceBoots& reference) {
  std::vector<BootLine> lines;
  for (auto& one : reference.missing_from(boot)) {
    one.line.span = boot.span;
    one.line.since_power_on = Nanoseconds(-1);
    lines.push_back(std::move(one.line));
  }
  return lines;
}

ReferenceBoots make_reference(const std::vector<std::string>& run_dirs, const std::string& dut, std::vector<BootLog> boots) {
  for (const auto& run : run_dirs) {
    auto more = read_run_boots(run, dut);
    std::move(more.begin(), more.end(), std::back_inserter(boots));
  }
  return ReferenceBoots(boots);
}

void bind_values(py::module_& module) {
  py::class_<StageTime>(module, "StageTime", "One boot stage as it was seen.")
      .def_readonly("stage", &StageTime::stage)
      .def_readonly("within", &StageTime::within)
      .def_property_readonly("elapsed_s", [](const StageTime& s) { return seconds(s.since_power_on); })
      .def_property_readonly("limit_s", [](const StageTime& s) { return seconds(s.limit); })
      .def_property_readonly("begin", [](const StageTime& s) { return s.span.begin; })
      .def_property_readonly("end", [](const StageTime& s) { return s.span.end; });
  py::class_<BootLine>(module, "BootLine", "One line of a boot; its span is evidence: run.console_evidence(line).")
      .def_readonly("text", &BootLine::text)
      .def_readonly("normal", &BootLine::normal, "The text with noise masked: what is compared.")
      .def_readonly("kernel", &BootLine::kernel, "Whether it begins with a kernel stamp.")
      .def_readonly("whole", &BootLine::whole, "False: the boot ended, or the bench began to talk, before its end.")
      .def_property_readonly("begin", [](const BootLine& line) { return line.span.begin; })
      .def_property_readonly("end", [](const BootLine& line) { return line.span.end; })
      .def_property_readonly(
          "elapsed_s",
          [](const BootLine& line) {
            return line.since_power_on < Nanoseconds{} ? std::nullopt : std::optional(seconds(line.since_power_on));
          },
          "Seconds after power-on; None where the recording does not say.");
  py::class_<BootLog>(module, "BootLog", "One boot with its stages and lines, as the main console has it.")
      .def_readonly("dut", &BootLog::dut)
      .def_readonly("boot", &BootLog::number, "1..n in its run.")
      .def_readonly("cause", &BootLog::cause, "power or reset.")
      .def_readonly("file", &BootLog::file, "The recording's name; empty: not recorded.")
      .def_readonly("stages", &BootLog::stages)
      .def_readonly("lines", &BootLog::lines)
      .def_readonly("gaps", &BootLog::gaps)
      .def_property_readonly("ending", [](const BootLog& boot) { return to_string(boot.ending); })
      .def_property_readonly("complete", &BootLog::complete, "The last stage was seen.")
      .def_property_readonly("missing", &BootLog::missing, "The stage that did not come; empty when complete.")
      .def_property_readonly("doubt", &BootLog::doubt,
                             "Why this boot proves no absence (incomplete, a gap, a damaged recording); empty: it does.")
      .def_property_readonly("begin", [](const BootLog& boot) { return boot.span.begin; })
      .def_property_readonly("end", [](const BootLog& boot) { return boot.span.end; })
      .def("lines_not_in", &new_lines, py::arg("reference"),
           "Lines that no reference boot has, each once; a line that the reference has once a boot and this one repeats, too.")
      .def("lines_missing_from", &missing_lines, py::arg("reference"),
           "Lines that every reference boot has before its last stage and this boot nowhere; begin and end are the part looked through.");
}

}  // namespace

void bind_boot(py::module_& module) {
  bind_values(module);
  py::class_<ReferenceBoots>(module, "ReferenceBoots", "What sound boots of a board say; boots in doubt are left out.")
      .def(py::init(&make_reference), py::arg("run_dirs"), py::arg("dut"), py::arg("boots"))
      .def_property_readonly("boots", &ReferenceBoots::boots, "Boots that count.")
      .def_property_readonly("lines", &ReferenceBoots::lines, "Different lines, noise masked.")
      .def_property_readonly("learned", &ReferenceBoots::learned, "Number positions learned as noise; 0 with one boot.")
      .def_property_readonly("left_out", &ReferenceBoots::left_out, "Boots that do not count, with the reason.")
      .def("compared", &ReferenceBoots::compared, py::arg("boot"),
           "How many lines of a boot are looked at: what came before the bench began to talk, and not too long after the last stage.")
      .def("has", &ReferenceBoots::has, py::arg("boot"), "Whether it is one of these boots itself.")
      .def("would_find", &ReferenceBoots::would_find, py::arg("text"), "Whether a boot with this line more would be told apart.");
  module.def("read_boots", &read_run_boots, py::arg("run_dir"), py::arg("dut") = "",
             "The boots of a run directory with their lines. Raises NotFoundError where there is no timeline.");
}

}  // namespace hilcop
