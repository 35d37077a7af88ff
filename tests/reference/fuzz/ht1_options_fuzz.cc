// SPDX-License-Identifier: Apache-2.0
// A command line, a word a line: options, or a Failure that says what is wanted.
#include <cstdlib>
#include <sstream>

#include "thermostatd/error.h"
#include "thermostatd/options.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream text(std::string(reinterpret_cast<const char*>(data), size));
  std::vector<std::string> words;
  for (std::string word; std::getline(text, word);) words.push_back(word);
  try {
    const auto options = parse_options(words);
    if (options.factory.empty() || options.port < 0 || options.port > 65535) std::abort();
    for (const auto& [name, place] : options.resolve)
      if (name.empty() || place.port < 1 || place.port > 65535) std::abort();
  } catch (const Failure& failure) {
    if (std::string(failure.what()).empty()) std::abort();
  }
  return 0;
}
