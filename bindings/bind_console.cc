// SPDX-License-Identifier: Apache-2.0
#include "console/console.h"

#include <pybind11/stl.h>

#include "bindings/calls.h"

namespace py = pybind11;

namespace hilcop {
namespace {

// str is a regex, bytes a literal; one or several.
std::vector<Pattern> patterns_of(const py::object& given) {
  const auto one = [](py::handle item) {
    if (py::isinstance<py::bytes>(item)) return Pattern::literal(item.cast<std::string>());
    if (py::isinstance<py::str>(item)) return Pattern::regex(item.cast<std::string>());
    throw py::type_error("a pattern is a str (regex) or bytes (literal)");
  };
  std::vector<Pattern> patterns;
  if (py::isinstance<py::list>(given) || py::isinstance<py::tuple>(given))
    for (const auto& item : given) patterns.push_back(one(item));
  else
    patterns.push_back(one(given));
  return patterns;
}

py::str text_of(const std::string& bytes) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(bytes.data(), static_cast<py::ssize_t>(bytes.size()), "backslashreplace"));
}

void bind_values(py::module_& module) {
  py::class_<Match>(module, "Match", "What matched, and where it stands in the recording.")
      .def_property_readonly(
          "pattern", [](const Match& m) { return m.pattern; }, "Index into the patterns that were given.")
      .def_property_readonly("text", [](const Match& m) { return text_of(m.text); })
      .def_property_readonly("groups",
                             [](const Match& m) {
                               py::list groups;
                               for (const auto& group : m.groups) groups.append(text_of(group));
                               return groups;
                             })
      .def_property_readonly(
          "before", [](const Match& m) { return text_of(m.before); }, "Since the previous match or mark; at most the last 64 KiB.")
      .def_property_readonly(
          "begin", [](const Match& m) { return m.span.begin; }, "Offset in bytes in the recording.")
      .def_property_readonly("end", [](const Match& m) { return m.span.end; })
      .def_property_readonly("steady_ns", [](const Match& m) { return to_ns(m.at); });
  py::class_<CommandResult>(module, "CommandResult", "What a command printed and how it ended.")
      .def(py::init([](int exit_status, const py::bytes& output, double elapsed_s) {
             CommandResult result;
             result.exit_status = exit_status;
             result.output = output;
             result.elapsed = Nanoseconds(static_cast<std::int64_t>(elapsed_s * 1e9));
             return result;
           }),
           py::kw_only(), py::arg("exit_status"), py::arg("output"), py::arg("elapsed_s"), "Of a command that a console did not carry.")
      .def_readonly("exit_status", &CommandResult::exit_status)
      .def_property_readonly("output", [](const CommandResult& r) { return text_of(r.output); })
      .def_property_readonly(
          "kernel", [](const CommandResult& r) { return text_of(r.kernel); }, "Kernel text that cut in.")
      .def_property_readonly("begin", [](const CommandResult& r) { return r.span.begin; })
      .def_property_readonly("end", [](const CommandResult& r) { return r.span.end; })
      .def_property_readonly("elapsed_s", [](const CommandResult& r) { return std::chrono::duration<double>(r.elapsed).count(); });
  py::class_<Reply>(module, "Reply", "What an interpreter printed after one line.")
      .def_property_readonly("output", [](const Reply& r) { return text_of(r.output); })
      .def_property_readonly("begin", [](const Reply& r) { return r.span.begin; })
      .def_property_readonly("end", [](const Reply& r) { return r.span.end; })
      .def_property_readonly("elapsed_s", [](const Reply& r) { return std::chrono::duration<double>(r.elapsed).count(); });
  py::class_<WatcherHit>(module, "WatcherHit", "A standing pattern that was seen.")
      .def_readonly("watcher", &WatcherHit::watcher)
      .def_readonly("line", &WatcherHit::line)
      .def_property_readonly("begin", [](const WatcherHit& h) { return h.span.begin; })
      .def_property_readonly("end", [](const WatcherHit& h) { return h.span.end; });
  py::class_<Gap>(module, "Gap", "A hole in the recording: an absence in a window with a gap proves nothing.")
      .def_readonly("cause", &Gap::cause)
      .def_readonly("offset", &Gap::offset)
      .def_property_readonly("begin_ns", [](const Gap& g) { return to_ns(g.begin); })
      .def_property_readonly("end_ns", [](const Gap& g) { return to_ns(g.end); })
      .def_readonly("detail", &Gap::detail);
}

}  // namespace

void bind_console(py::module_& module) {
  bind_values(module);
  const auto timeout = [](double seconds) { return py::arg("timeout_s") = seconds; };
  py::class_<Console, std::unique_ptr<Console, py::nodelete>>(module, "Console",
                                                              "One serial console; records whether or not anybody waits.")
      .def_property_readonly("source", &Console::source)
      .def_property_readonly("offset", &Console::offset, "Bytes received since the bench was opened.")
      .def(
          "expect",
          [](Console& self, const py::object& patterns, double timeout_s) {
            const auto list = patterns_of(patterns);
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.expect(list, deadline); });
          },
          py::arg("patterns"), py::kw_only(), timeout(30),
          "Waits until a pattern stands in the bytes since the previous match or mark; the leftmost first. Raises TimeoutError with what "
          "was seen.")
      .def(
          "try_expect",
          [](Console& self, const py::object& patterns, double timeout_s) {
            const auto list = patterns_of(patterns);
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.try_expect(list, deadline); });
          },
          py::arg("patterns"), py::kw_only(), timeout(30), "As expect; None when nothing came in time.")
      .def("mark", &Console::mark, "Everything received until now is judged no more. Returns the offset.")
      .def(
          "write",
          [](Console& self, const py::object& data, double timeout_s) {
            const auto bytes = data.cast<std::string>();
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.write(bytes, deadline); });
          },
          py::arg("data"), py::kw_only(), timeout(10), "Sends bytes (str as UTF-8), paced as the board file says.")
      .def(
          "write_secret",
          [](Console& self, const std::string& line, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.write_secret(line, deadline); });
          },
          py::arg("line"), py::kw_only(), timeout(10),
          "write_line(); the timeline has its length alone. A device that echoes it has it in the recording.")
      .def(
          "write_line",
          [](Console& self, const std::string& line, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.write_line(line, deadline); });
          },
          py::arg("line"), py::kw_only(), timeout(10), "Sends a line with the board's line end.")
      .def(
          "run",
          [](Console& self, const std::string& command, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.run(command, deadline); });
          },
          py::arg("command"), py::kw_only(), timeout(30),
          "Runs a POSIX shell command in a subshell and returns output and exit status, whatever the kernel prints meanwhile. Raises "
          "UnsupportedError on a board without a shell.")
      .def(
          "ask",
          [](Console& self, const std::string& line, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.ask(line, deadline); });
          },
          py::arg("line"), py::kw_only(), timeout(30),
          "One line to whatever interpreter the board has, its shell or its REPL at its prompt, and what it printed. Raises TimeoutError "
          "with what was seen, ProtocolError when the line keeps arriving damaged, UnsupportedError where there is no interpreter.")
      .def(
          "login",
          [](Console& self, double timeout_s) {
            const auto deadline = deadline_in(timeout_s);
            without_gil([&] { self.login(deadline); });
          },
          py::kw_only(), timeout(30),
          "Gets the prompt of the shell, or of the REPL, and proves it. Raises UnsupportedError on a board that has neither.")
      .def(
          "wait_silence",
          [](Console& self, double quiet_s, double timeout_s) {
            const auto quiet = deadline_in(quiet_s).remaining();
            const auto deadline = deadline_in(timeout_s);
            return without_gil([&] { return self.wait_silence(quiet, deadline); });
          },
          py::arg("quiet_s"), py::kw_only(), timeout(30),
          "True once nothing has arrived for quiet_s. False at the time limit, and when the line is lost: that proves nothing.")
      .def("hits_since", &Console::hits_since, py::arg("offset"), "What the watchers saw from that offset on.")
      .def("gaps_since", &Console::gaps_since, py::arg("offset"))
      .def(
          "bytes",
          [](const Console& self, std::uint64_t begin, std::uint64_t end) {
            return py::bytes(self.bytes({begin, end}));
          },
          py::arg("begin"), py::arg("end"), "Received bytes again; at most 64 MiB.")
      .def(
          "set_line",
          [](Console& self, const std::string& line, bool asserted) {
            if (line != "dtr" && line != "rts") throw py::value_error("no modem line '" + line + "'; choose one of: dtr, rts");
            without_gil([&] { self.set_line(line == "dtr" ? ModemLine::Dtr : ModemLine::Rts, asserted); });
          },
          py::arg("line"), py::arg("asserted"), "Sets DTR or RTS. Raises UnsupportedError where the transport has none.")
      .def(
          "send_break",
          [](Console& self, double length_s) {
            const auto length = std::chrono::milliseconds(static_cast<std::int64_t>(length_s * 1000));
            without_gil([&] { self.send_break(length); });
          },
          py::arg("length_s") = 0.25, "Holds the line in break for so long; blocks meanwhile.");
}

}  // namespace hilcop
