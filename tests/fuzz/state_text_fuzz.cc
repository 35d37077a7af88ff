// SPDX-License-Identifier: Apache-2.0
// What an instrument says of its state: on, off or an Error, and never both ways of reading it at odds.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "keeper/state_text.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const StateText by_text({{"pointer", ""}, {"is_on", "\"ison\": *true"}, {"is_off", "\"ison\": *false"}}, "fuzz");
  static const StateText by_pointer({{"pointer", "/relays/0/ison"}, {"is_on", "^true$"}, {"is_off", "^false$"}}, "fuzz");
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto* state : {&by_text, &by_pointer}) try {
      const bool on = state->is_on(text);
      const bool there = text.find(on ? "true" : "false") != std::string::npos;
      if (!there && text.find('\\') == std::string::npos) std::abort();  // out of nothing (JSON may escape a letter)
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Protocol) std::abort();
    }
  return 0;
}
