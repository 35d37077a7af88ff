// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "bench/checked_yaml.h"
#include "bench/config.h"

namespace hilcop {

/// What is armed on a console of a board: on `main` its boot stages, then the linux watchers that the board file neither
/// replaces nor switches off there, then its own.
std::vector<Watcher> watchers_for(const Board& board, const std::string& console);

/// `watchers:` of a board file into the board. Problems: a name given twice or kept for boot stages, a pattern that is missing or
/// beside `off`, an `off` for what is not armed.
void read_watchers(const CheckedFile& file, Board& board, std::vector<ConfigProblem>& problems);

}  // namespace hilcop
