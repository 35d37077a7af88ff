// SPDX-License-Identifier: Apache-2.0
#include "selftest/power_round.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/interrupt.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr Nanoseconds kSwitchLimit = 60s;
constexpr Nanoseconds kSettle = 5s;              // a DUT may say its last words so long after off
constexpr Nanoseconds kSilence = 400ms;          // nothing for so long, although asked: silent
constexpr Nanoseconds kStrangers = 500ms;        // others are listened to so long after a DUT's own console spoke
constexpr Nanoseconds kFirstWordsAfterOn = 15s;  // where the board file does not say
constexpr Nanoseconds kAskEvery = 500ms;
constexpr Nanoseconds kAgain = 15s;   // who does not answer is listened to so long for its second word
constexpr Nanoseconds kRarest = 30s;  // a longer pause is not waited for again without power
constexpr int kAsked = 3;             // answers that no chance explains
constexpr Nanoseconds kLookAgain = 20ms;

// What a console did while its DUT had no power.
struct Heard {
  std::string speech;  // "speaks", "answers"; empty: nothing came
  bool lost = false;   // its line was not there: nothing could come
};

// Consoles of other DUTs that react to one DUT's power.
struct Strangers {
  std::vector<std::string> consoles;
  std::set<std::string> duts;
  bool empty() const { return consoles.empty(); }
};

// How a console behaves with power, so that silence can be told from a pause.
struct Habit {
  bool spoke = false;
  std::optional<Nanoseconds> pause;  // so long it says nothing with power, too; nullopt: longer than was waited
};

std::string join(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

class PowerRound {
 public:
  PowerRound(Bench& bench, const Arrivals& arrivals, const PowerRoundOptions& options)
      : bench_(bench), arrivals_(arrivals), options_(options) {}

  void run() {
    for (const auto& name : bench_.dut_names()) {
      const auto& config = bench_.dut(name).config();
      if (config.power)
        powered_.push_back(name);
      else
        item("power", name, "", SelftestGrade::NotProved, "this DUT has no power port on this bench");
    }
    for (const auto& name : powered_) switch_off(name);
    for (const auto& name : powered_) listen_without_power(name);
    for (const auto& name : powered_) turn_of(name);
  }

 private:
  void item(const char* what, const std::string& dut, const std::string& object, SelftestGrade grade, const std::string& text,
            const Strangers& others = {}) {
    SelftestItem made{what, dut, object, grade, text};
    made.others = {others.duts.begin(), others.duts.end()};
    options_.on_item(made);
  }
  // An earlier failure of it stands.
  void not_looked_at(const char* what, const std::string& dut, const std::string& object, const std::string& text) {
    SelftestItem made{what, dut, object, SelftestGrade::NotProved, text};
    made.looked = false;
    options_.on_item(made);
  }
  static std::string source(const std::string& dut, const std::string& console) { return dut + "/" + console; }

  // Every one of its consoles, as {name, source}.
  std::vector<std::pair<std::string, std::string>> consoles_of(const std::string& dut) {
    std::vector<std::pair<std::string, std::string>> list;
    for (const auto& [name, role] : bench_.dut(dut).config().consoles) list.emplace_back(name, source(dut, name));
    return list;
  }

  // A line end: what waits at a prompt answers it. What cannot be written to has no power, or is judged by what it says.
  void ask(const std::string& dut, const std::string& console) {
    try {
      bench_.dut(dut).console(console).write(bench_.dut(dut).config().board.line_end, Deadline::in(500ms));
    } catch (const Error&) {
      return;
    }
  }

  // Why it failed; empty: it did not. `edge`: what was switched.
  std::string switch_off(const std::string& dut, std::optional<PowerEdge>* edge = nullptr) {
    try {
      const auto done = bench_.dut(dut).power().off(json::object(), Deadline::in(kSwitchLimit));
      if (edge != nullptr) *edge = done;
      return "";
    } catch (const Error& error) {
      return error.object() + " " + error.cause();
    }
  }

  // What a console of a DUT that is off says within `quiet`, although asked. An adapter that vanishes with the switching is waited for: a
  // line that is not there is as silent as a DUT without power.
  Heard listen_after_off(const std::string& dut, const std::string& console, SteadyTime off, Nanoseconds quiet) {
    const auto name = source(dut, console);
    auto& line = bench_.dut(dut).console(console);
    // Power may take a while to go, and what still has some answers.
    const Deadline settled(off + kSettle);
    for (auto begin = off;; begin = real_clock().now()) {
      if (!arrivals_.wait_quiet(name, quiet, begin, Deadline(std::max(settled.at(), begin) + quiet))) return {"speaks"};
      const auto asked = real_clock().now();  // before: an echo may be there when the write returns
      ask(dut, console);
      const bool answers = arrivals_.wait_spoke(name, asked, Deadline::in(kSilence));
      if (!answers && line.connected_since(begin)) return {};
      if (settled.expired()) return answers ? Heard{"answers"} : Heard{"", true};
      wait_until(Deadline::in(kLookAgain));
    }
  }

  // Who speaks now fails at once. The silence of the others is judged when it is known how long they are silent with power.
  void listen_without_power(const std::string& dut) {
    const auto off = real_clock().now();
    for (const auto& [console, name] : consoles_of(dut)) {
      const auto heard = listen_after_off(dut, console, off, kSilence);
      if (heard.speech.empty()) continue;
      noisy_.insert(name);
      speaks_without_power(dut, console, heard);
    }
  }
  void speaks_without_power(const std::string& dut, const std::string& console, const Heard& heard) {
    item("silent without power", dut, "console " + console, SelftestGrade::Fail,
         heard.speech + " although the power is off: a stuck output, a DUT that is fed from elsewhere, or the console of another device");
  }

  // Others that react while one DUT is switched; the noisy ones were told already.
  Strangers strangers(const std::string& dut, SteadyTime since) {
    Strangers found;
    for (const auto& other : powered_) {
      if (other == dut) continue;
      for (const auto& [console, name] : consoles_of(other)) {
        if (noisy_.contains(name) || !arrivals_.spoke_since(name, since)) continue;
        found.consoles.push_back("console " + console + " of '" + other + "'");
        found.duts.insert(other);
      }
    }
    return found;
  }

  Nanoseconds patience(const DutConfig& config) const {
    const auto& stages = config.board.boot_stages;
    return stages.empty() ? kFirstWordsAfterOn : std::max<Nanoseconds>(2 * stages.front().deadline, 500ms);
  }

  bool own_spoke(const std::string& dut, SteadyTime since) {
    const auto all = consoles_of(dut);
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return arrivals_.spoke_since(one.second, since); });
  }

  // Until one of its own consoles spoke, or long enough.
  void listen(const std::string& dut, SteadyTime since) {
    const auto& config = bench_.dut(dut).config();
    auto limit = Deadline::in(patience(config));
    bool hurried = false;
    for (auto asked = real_clock().now(); !own_spoke(dut, since) && !limit.expired(); wait_until(limit.at_most(5ms))) {
      // A boot loader would take it for a key that stops the boot: only who does not say how it boots is asked.
      if (config.board.boot_stages.empty() && real_clock().now() - asked >= kAskEvery) {
        for (const auto& [console, name] : consoles_of(dut)) ask(dut, console);
        asked = real_clock().now();
      }
      if (!hurried && !strangers(dut, since).empty()) limit = limit.at_most(3s), hurried = true;
    }
  }

  void turn_of(const std::string& dut) {
    auto& power = bench_.dut(dut).power();
    const auto began = real_clock().now();
    PowerEdge on;
    try {
      on = power.on(Deadline::in(kSwitchLimit));
    } catch (const Error& error) {
      switch_off(dut);
      not_looked_at("answers", dut, "", "it could not be switched on");
      return item("power", dut, "", SelftestGrade::Fail, "cannot be switched on: " + error.object() + " " + error.cause());
    }
    if (!consoles_of(dut).empty()) listen(dut, began);
    if (own_spoke(dut, began)) wait_until(Deadline::in(kStrangers));
    const bool spoke = own_spoke(dut, began);
    const auto others = strangers(dut, began);
    about_consoles(dut, began, others);
    if (spoke && options_.ask)
      about_answer(dut);
    else
      not_looked_at("answers", dut, "", spoke ? "not asked" : "it said nothing, so it was not asked");
    if (options_.while_on) options_.while_on(dut);
    std::map<std::string, Habit> habits;
    for (const auto& [console, name] : consoles_of(dut)) habits[console] = habit_of(dut, console, began);
    std::optional<PowerEdge> off;
    const auto trouble = switch_off(dut, &off);
    about_power(dut, on, off, trouble, spoke, others, habits);
  }

  // A stuck output is as silent as an open one between two words of the DUT: either it answers whenever it is asked, or its longest
  // pause has to be known. It may be typed to now: the power goes next.
  Habit habit_of(const std::string& dut, const std::string& console, SteadyTime began) {
    const auto name = source(dut, console);
    Habit habit{arrivals_.spoke_since(name, began), {}};
    if (!habit.spoke || noisy_.contains(name)) return habit;
    int answers = 0;
    for (bool answered = true; answered && answers < kAsked; answers += answered) {
      const auto asked = real_clock().now();
      ask(dut, console);
      answered = arrivals_.wait_spoke(name, asked, Deadline::in(kSilence));
    }
    if (answers == kAsked) {
      habit.pause = 0ns;
      return habit;
    }
    const auto heard = arrivals_.last(name);
    if (!arrivals_.wait_spoke(name, heard + 1ns, Deadline(heard + kAgain))) return habit;
    habit.pause = 0ns;
    auto last = began;
    for (const auto& chunk : arrivals_.since(name, began)) {
      habit.pause = std::max(*habit.pause, chunk.at - last);
      last = chunk.at;
    }
    if (*habit.pause > kRarest) habit.pause.reset();
    return habit;
  }

  void about_consoles(const std::string& dut, SteadyTime since, const Strangers& others) {
    bool first = true;
    for (const auto& [console, name] : consoles_of(dut)) {
      const bool spoke = arrivals_.spoke_since(name, since);
      const bool must = console == "main" || (first && !bench_.dut(dut).config().consoles.contains("main"));
      first = false;
      if (spoke)
        item("speaks with power", dut, "console " + console, noisy_.contains(name) ? SelftestGrade::NotProved : SelftestGrade::Pass,
             noisy_.contains(name) ? "it spoke without power, too" : "");
      else
        item("speaks with power", dut, "console " + console, must ? SelftestGrade::Fail : SelftestGrade::NotProved,
             must ? "stays silent: a dead output, a broken or wrong line, or a DUT that does not boot" : "said nothing");
    }
    if (!others.empty())
      item("wiring", dut, "", SelftestGrade::Fail,
           "its power makes " + join(others.consoles) + " speak" +
               (own_spoke(dut, since) ? ": that DUT hangs on this output, too"
                                      : " and its own silent: the two DUTs' power or consoles are swapped"),
           others);
    else if (own_spoke(dut, since))
      item("wiring", dut, "", SelftestGrade::Pass,
           powered_.size() > 1 ? "only its own console reacts to its power" : "its console reacts to its power");
  }

  void about_answer(const std::string& dut) {
    auto& device = bench_.dut(dut);
    const auto& board = device.config().board;
    if (!device.config().consoles.contains("main") || (!board.has_shell && !board.repl))
      return item("answers", dut, "", SelftestGrade::NotProved, "the board file names no shell and no repl to ask");
    try {
      if (!board.boot_stages.empty()) {
        const auto boot = device.boot_to("", Deadline::in(3 * board.boot_stages.back().deadline + 10s));
        const auto missing = "boot stage '" + boot.missing + "' did not come";
        if (boot.starved_only && !boot.complete)
          return not_looked_at("answers", dut, "console main", missing + " while this host was busy");
        if (!boot.complete)
          return item("answers", dut, "console main", SelftestGrade::Fail, missing + ": not this board, or one that does not boot");
      }
      device.console().login(Deadline::in(options_.ask_limit));
      item("answers", dut, "console main", SelftestGrade::Pass, board.has_shell ? "its shell answers" : "its interpreter answers");
    } catch (const Error& error) {
      item("answers", dut, "console main", SelftestGrade::Fail, error.object() + " " + error.cause());
    }
  }

  // Why the silence of a console after off shows nothing; empty: it does. `alive`: who was not silent.
  std::string doubt_of(const std::string& dut, const std::string& console, const Habit& habit, SteadyTime off,
                       std::vector<std::string>& alive) {
    const auto what = "console " + console;
    // Half as long again as the longest pause that was seen.
    const auto quiet = habit.pause ? std::max<Nanoseconds>(kSilence, *habit.pause * 3 / 2) : kSilence;
    const auto heard = listen_after_off(dut, console, off, quiet);
    if (!heard.speech.empty()) {
      alive.push_back(what + " " + heard.speech);
      speaks_without_power(dut, console, heard);
      return "";
    }
    const auto silent = [&](SelftestGrade grade, const std::string& text) { item("silent without power", dut, what, grade, text); };
    if (heard.lost) {
      silent(SelftestGrade::NotProved, "its line is not there without power: nothing could be heard");
      return what + " is not there without power";
    }
    if (!habit.spoke) {
      silent(SelftestGrade::Pass, "");
      return what + " said nothing with power either";
    }
    if (!habit.pause) {
      silent(SelftestGrade::NotProved, "it speaks so rarely with power, and does not answer, that its silence shows nothing");
      return what + " speaks too rarely for its silence to show anything";
    }
    silent(SelftestGrade::Pass, *habit.pause == 0ns ? "" : fmt::format("for {:.1f} s", std::chrono::duration<double>(quiet).count()));
    return "";
  }

  // What of the bench besides consoles saw the power come and go: inputs and meters that agreed with both edges, USB.
  static std::vector<std::string> sensed(const PowerEdge& on, const PowerEdge& off) {
    const auto on_means = split(on.verified_by), off_means = split(off.verified_by);
    std::vector<std::string> seen;
    for (const auto& means : off_means) {
      const bool both = std::find(on_means.begin(), on_means.end(), means) != on_means.end();
      if (both && (means.starts_with("input ") || means.starts_with("meter "))) seen.push_back(means);
      if (means == "usb-disappearance") seen.emplace_back("USB");
    }
    return seen;
  }
  static std::vector<std::string> split(const std::string& means) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < means.size();) {
      const auto end = std::min(means.find(", ", at), means.size());
      all.push_back(means.substr(at, end - at));
      at = end + 2;
    }
    return all;
  }

  void about_power(const std::string& dut, const PowerEdge& on, const std::optional<PowerEdge>& off, const std::string& trouble, bool spoke,
                   const Strangers& others, const std::map<std::string, Habit>& habits) {
    if (!off) return item("power", dut, "", SelftestGrade::Fail, "cannot be switched off: " + trouble);
    about_read_back(dut, on, *off);
    std::vector<std::string> shown, alive, doubts;
    for (const auto& [console, habit] : habits) {
      if (noisy_.contains(source(dut, console))) continue;
      const auto alive_before = alive.size();
      if (const auto doubt = doubt_of(dut, console, habit, off->result.acknowledged, alive); !doubt.empty())
        doubts.push_back(doubt);
      else if (alive.size() == alive_before)
        shown.push_back("console " + console);
    }
    if (!alive.empty())
      return item("power", dut, "", SelftestGrade::Fail,
                  join(alive) + " after it was switched off: the output does not open, or does not power this DUT");
    if (!off->result.details.value("effect_ns", json()).is_null()) shown.push_back("the virtual board's own clock"), spoke = true;
    for (auto& means : sensed(on, *off)) shown.push_back(std::move(means)), spoke = true;
    if (spoke && others.empty() && !shown.empty())
      return item("power", dut, "", SelftestGrade::Pass, "comes and goes, shown by " + join(shown));
    if (habits.empty() && others.empty())
      return item("power", dut, "", SelftestGrade::NotProved,
                  "it was told to switch and did not refuse; nothing on this bench shows that it powers this DUT");
    if (shown.empty() && doubts.empty())
      return item("power", dut, "", SelftestGrade::NotProved, "its consoles speak without power, so they show nothing");
    if (spoke && others.empty()) return item("power", dut, "", SelftestGrade::NotProved, join(doubts));
    item("power", dut, "", SelftestGrade::Fail, spoke ? "powers another DUT, too" : "was switched on and nothing of this DUT reacted",
         others);
  }

  void about_read_back(const std::string& dut, const PowerEdge& on, const PowerEdge& off) {
    if (!on.result.read_back || !off.result.read_back)
      return item("read-back", dut, "", SelftestGrade::NotProved, "the instrument cannot tell its own state");
    const bool right = *on.result.read_back && !*off.result.read_back;
    item("read-back", dut, "", right ? SelftestGrade::Pass : SelftestGrade::Fail,
         right ? "" : "the instrument reads back something else than it was told");
  }

  Bench& bench_;
  const Arrivals& arrivals_;
  const PowerRoundOptions& options_;
  std::vector<std::string> powered_;
  std::set<std::string> noisy_;
};

}  // namespace

void test_power(Bench& bench, const Arrivals& arrivals, const PowerRoundOptions& options) { PowerRound(bench, arrivals, options).run(); }

}  // namespace hilcop
