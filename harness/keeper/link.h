// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "io/byte_stream.h"
#include "io/exchange.h"

namespace hilcop {

/// A stream to an instrument, held open over many questions and opened again when it was lost. Every call ends by its deadline.
/// Errors name the instrument.
class Link {
 public:
  using Open = std::function<std::unique_ptr<ByteStream>(Deadline)>;
  /// Brings the talk to a known point: after it, no answer to an earlier question can come.
  using Settle = std::function<void(Exchange&, Deadline)>;
  enum class AfterFailure {
    Reopen,  // TCP: late answers end with the connection
    Settle,  // a serial port: opening it again would move its lines. Who is a second late has given up
  };

  Link(std::string object, AfterFailure after_failure, Open open, Settle settle);
  /// Opens it, and settles.
  void open(Deadline deadline);
  /// Runs `talk`, after settling where the last one failed. A stream that turns out to be lost is opened again and `talk` run once
  /// more: it must bear that.
  void use(Deadline deadline, const std::function<void(Exchange&)>& talk);

 private:
  void attempt(Deadline deadline, const std::function<void(Exchange&)>& talk);
  void settle(Deadline deadline);

  std::string object_;
  AfterFailure after_failure_;
  Open open_;
  Settle settle_;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<Exchange> exchange_;
  bool settled_ = false;
  SteadyTime quiet_from_;  // what comes before is the answer to a question that was given up
};

}  // namespace hilcop
