// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "console/console.h"

namespace hilcop {

/// U-Boot's command line on a console. A command is carried out only if it came back whole in the echo: a digit that is lost would
/// write to another place.
class UbootShell {
 public:
  /// `prompt`: a regex. `object`: for errors.
  UbootShell(Console& console, std::string prompt, std::string object)
      : console_(console), prompt_(std::move(prompt)), object_(std::move(object)) {}
  /// Types `keys` until autoboot has been stopped, and proves that a command line with exit statuses (hush) answers.
  void reach(const std::string& keys, Deadline deadline);
  /// Its output. Throws Error{Protocol} for a status that is not 0, with the output.
  std::string run(const std::string& command, Deadline deadline);
  /// The same in halves, for a command that wants something meanwhile.
  void begin(const std::string& command, Deadline deadline);
  std::string end(Deadline deadline);

 private:
  /// Drops what is half typed; false: no prompt came.
  bool prompt_again(Deadline deadline);
  /// Types a line, without its end; whether it came back, all of it and nothing before it.
  bool echoed(const std::string& line, Deadline deadline);

  Console& console_;
  std::string prompt_, object_;
  std::string command_, mark_;
  std::uint64_t from_ = 0;
};

}  // namespace hilcop
