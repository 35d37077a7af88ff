// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace hilcop {

/// "22,80,8000-8100", as nmap takes them; "": none, which means all. Throws Error{Config} saying what is wrong with which part.
std::vector<int> ports_of(const std::string& text);

}  // namespace hilcop
