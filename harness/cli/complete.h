// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hilcop {

/// What may stand where the last of these words (of a command line, without the program's name) is being typed; from the description
/// of the program itself. Lines of "value<TAB>description"; ":files" means that files may stand there too. Never throws.
std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words) noexcept;

/// `hilcop complete WORD...`, which the shells' scripts call: prints the completions, no error ever, and ends within 3 s.
int complete(const CLI::App& app, const std::vector<std::string>& words) noexcept;

}  // namespace hilcop
