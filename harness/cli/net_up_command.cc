// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/net_commands.h"
#include "cli/port_ranges.h"
#include "cli/shown_events.h"
#include "cli/stop_signals.h"
#include "fixtures/catalog.h"
#include "network/intercept/intercept_case.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr Nanoseconds kToAsk = 10s, kLookEvery = 1s;
constexpr std::size_t kMostOfPem = 1u << 20;
constexpr int kWentWrong = 3;

struct Arguments {
  std::string bench, dut, ca, ca_key, which = "sound", file, ports;
  double wait_s = 0, seconds = 0;
  bool power = false, intercept = false, as_json = false;
};

std::string contents_of(const std::string& file, const char* option) {
  if (file.empty()) return "";
  std::ifstream stream(file);
  std::string text(kMostOfPem + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty() || text.size() > kMostOfPem)
    throw Error(ErrorKind::Config, std::string(option) + " " + file, "cannot be read, or is no PEM file",
                "give a certificate or a key in PEM");
  return text;
}

using Changes = std::vector<std::pair<std::string, json>>;

// What the network is to be asked before the device has power: all that is to see it from its first byte on. Throws Error{Config}.
Changes changes_of(const Arguments& arguments) {
  Changes changes;
  if (!arguments.file.empty())
    changes.emplace_back("capture.start", json{{"name", "live"}, {"file", std::filesystem::absolute(arguments.file).string()}});
  if (arguments.intercept)
    changes.emplace_back("intercept.start", json{{"case", arguments.which},
                                                 {"ca_pem", contents_of(arguments.ca, "--ca")},
                                                 {"ca_key_pem", contents_of(arguments.ca_key, "--ca-key")}});
  if (!arguments.ports.empty()) changes.emplace_back("watch_ports.start", json{{"ports", ports_of(arguments.ports)}});
  return changes;
}

/// Looks again and again whether the network itself is well, which no event tells.
class Health {
 public:
  Health(NetworkPort& network, ShownEvents& shown, bool watches_ports) : network_(network), shown_(shown), watches_ports_(watches_ports) {}
  bool sound() const { return told_.empty(); }

  void look() {
    const auto status = network_.ask("status", json::object(), Deadline::in(kToAsk));
    const auto tell = [this](const std::string& text) {
      if (told_.insert(text).second) shown_.note("FAULT", text, true);
    };
    for (const auto& failure : status.at("services").at("failures")) tell(Error::from_json(failure).what());
    for (const auto& [name, figures] : status.at("captures").items())
      if (!figures.at("failure").is_null())
        tell("capture " + name + ": " + Error::from_json(figures["failure"]).what());
      else if (figures.at("dropped") != 0)
        tell("capture " + name + ": packets were dropped, so that an absence proves nothing");
    if (status.at("services").at("dns").at("failed") != 0) tell("the name server could not answer all questions");
    if (status.at("events_lost") != 0) tell("events are not shown: more happened than could be told");
    if (watches_ports_) {
      const auto watched = network_.ask("watch_ports.status", json::object(), Deadline::in(kToAsk));
      if (!watched.at("failure").is_null()) tell("ports are not watched: " + watched["failure"].get<std::string>());
    }
  }

 private:
  NetworkPort& network_;
  ShownEvents& shown_;
  const bool watches_ports_;
  std::set<std::string> told_;
};

int be_up(Dut& dut, const Arguments& arguments, Changes changes, LinePrinter& printer, ShownEvents& shown) {
  const auto until =
      Deadline::in(arguments.seconds > 0 ? Nanoseconds(static_cast<std::int64_t>(arguments.seconds * 1e9)) : Nanoseconds(24h * 365));
  Health health(dut.network(), shown, !arguments.ports.empty());
  try {
    std::fprintf(stderr, "the network of %s is up: Ctrl-C ends it\n", arguments.dut.c_str());
    for (auto& [what, how] : changes) {
      // As in a scenario: the lab's, where no other is said.
      if (const auto& ca = dut.network().trusted_ca(); what == "intercept.start" && ca && how.at("ca_pem") == "") {
        how["ca_pem"] = contents_of(ca->certificate, "network.ca.certificate");
        how["ca_key_pem"] = contents_of(ca->key, "network.ca.key");
      }
      dut.network().change(what, how, Deadline::in(kToAsk));
    }
    if (arguments.power) dut.power().on(Deadline::in(60s));
    do health.look();
    while (!until.expired() && !printer.wait_unread(until.at_most(kLookEvery)));
  } catch (const Interrupted&) {
    clear_interrupt();
  }
  return health.sound() ? 0 : kWentWrong;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& facts : intercept_cases()) names.emplace_back(facts.name);
  return names;
}

}  // namespace

void add_net_up(CLI::App& net, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = net.add_subcommand("up", "have a DUT's network up, and show what the device does there as it happens, until Ctrl-C");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  command->add_flag("--power", arguments->power, "switch the power on, once all is watched");
  auto* intercept = command->add_flag("--intercept", arguments->intercept, "answer TLS in the place of every server");
  command->add_option("--case", arguments->which, "what TLS is answered with (default: sound)")
      ->needs(intercept)
      ->check(CLI::IsMember(case_names()));
  auto* ca =
      command
          ->add_option("--ca", arguments->ca,
                       "certificate (PEM) of a CA that the device trusts (default: the bench file's): without one, cases that need it "
                       "are not testable")
          ->needs(intercept)
          ->type_name("FILE");
  auto* key = command->add_option("--ca-key", arguments->ca_key, "its private key (PEM)")->needs(ca)->type_name("FILE");
  ca->needs(key);
  command->add_option("--watch-ports", arguments->ports, "ask these TCP ports of the device five times a second, and show what changes")
      ->type_name("PORTS");
  command->add_option("-w,--write", arguments->file, "record too: pcapng file to make")->type_name("FILE");
  command->add_option("--seconds", arguments->seconds, "end after so long (default: at Ctrl-C)")->check(CLI::Range(0.001, 1e8));
  command->add_flag("--json", arguments->as_json, "events for programs, a line each (harness/evidence/docs/timeline.md)");
  add_wait_option(*command, arguments->wait_s);
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    stop_on_signals();
    const auto changes = changes_of(*arguments);
    OpenOptions options;
    options.duts = {arguments->dut};
    options.holder = "hilcop net up";
    wait_as_asked(options, arguments->wait_s);
    LinePrinter printer([as_json = arguments->as_json](std::size_t lost) {
      if (as_json) return nlohmann::json{{"kind", "lines.lost"}, {"data", {{"lines", lost}}}}.dump();
      return std::to_string(lost) + " lines are not shown: they came faster than they are read";
    });
    ShownEvents shown(printer, arguments->as_json);
    auto bench = Bench::open(load_bench(arguments->bench), options, all_drivers(), shown);
    status = be_up(bench->dut(arguments->dut), *arguments, changes, printer, shown);
    bench->close();
  });
}

}  // namespace hilcop
