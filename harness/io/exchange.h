// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "io/byte_stream.h"

namespace hilcop {

/// Question and answer over a stream, for instruments that speak so (SCPI, relay boards on a serial line). Blocks until the
/// deadline at most; not ended by Ctrl-C: the keeper switches to safe states after one. Errors name `object`.
class Exchange {
 public:
  Exchange(ByteStream& stream, std::string object) : stream_(stream), object_(std::move(object)) {}
  void send(std::string_view bytes, Deadline deadline);
  /// What came up to and including `end`; what comes after it is kept. Throws Error{Timeout} with what came so far,
  /// Error{Protocol} after `most` bytes without it.
  std::string receive_until(std::string_view end, Deadline deadline, std::size_t most = 65536);
  std::string receive(std::size_t bytes, Deadline deadline);
  /// Drops what came unasked: the late answer to an earlier question that was given up.
  void drop_input();

 private:
  /// Waits for more; throws at the deadline, saying what is missing and what came.
  void more(Deadline deadline, const std::string& missing);

  template <typename Action>
  auto with_stream(const Action& action);

  ByteStream& stream_;
  std::string object_;
  std::string input_;
};

/// Bytes as people read them: "OK\r\n", "\xa0\x01".
std::string shown(std::string_view bytes);

}  // namespace hilcop
