// SPDX-License-Identifier: Apache-2.0
// What instruments on a line answer: read for what it is, or for nothing.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "fixtures/lcus_relay/status.h"
#include "fixtures/numato_relay/answer.h"
#include "fixtures/scpi_supply/replies.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char unit : {'V', 'A'})
    if (const auto value = scpi_number(text, unit); value && !(std::fabs(*value) < 9.8e37)) std::abort();
  const auto error = scpi_error(text);
  if (is_scpi_identity(text) && error) std::abort();
  if (scpi_boolean(text) && text.size() > 3) std::abort();
  if (const auto status = lcus_status(text); status && (status->channel < 1 || text.find(':') == std::string_view::npos)) std::abort();
  for (const char* command : {"relay read 1", "ver", ""})
    if (const auto answer = numato_answer(text, command); answer && (answer->size() > size || text.find(command) == std::string_view::npos))
      std::abort();
  return 0;
}
