// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

namespace hilcop {

/// Each sub-command is one file: it adds itself to the program and, when chosen, runs and leaves its exit status.
using AddCommand = void (*)(CLI::App& app, int& status);

void add_analyse(CLI::App& app, int& status);
void add_boots(CLI::App& app, int& status);
void add_calibrate(CLI::App& app, int& status);
void add_capture(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_completion(CLI::App& app, int& status);
void add_console(CLI::App& app, int& status);
void add_discover(CLI::App& app, int& status);
void add_drivers(CLI::App& app, int& status);
void add_dump(CLI::App& app, int& status);
void add_flash(CLI::App& app, int& status);
void add_keeper(CLI::App& app, int& status);
void add_list(CLI::App& app, int& status);
void add_net(CLI::App& app, int& status);
void add_network(CLI::App& app, int& status);
void add_new(CLI::App& app, int& status);
void add_power(CLI::App& app, int& status);
void add_run(CLI::App& app, int& status);
void add_safe_state(CLI::App& app, int& status);
void add_scan(CLI::App& app, int& status);
void add_schema(CLI::App& app, int& status);
void add_selftest(CLI::App& app, int& status);
void add_version(CLI::App& app, int& status);

inline constexpr AddCommand kCommands[] = {add_run,        add_check,      add_list,    add_discover, add_drivers, add_boots,
                                           add_calibrate,  add_selftest,   add_power,   add_console,  add_net,     add_capture,
                                           add_analyse,    add_scan,       add_flash,   add_dump,     add_new,     add_schema,
                                           add_completion, add_safe_state, add_version, add_keeper,   add_network};

}  // namespace hilcop
