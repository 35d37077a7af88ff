// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "io/byte_stream.h"
#include "io/serial_stream.h"

namespace hilcop {

struct Rfc2217Options {
  std::string host = {};
  int port = 0;
  SerialSettings settings = {};
  /// How long each answer of the server is waited for. What it does not answer is asked no more than it was, and said in remark().
  std::chrono::milliseconds answer{1500};
};

/// Bits of RFC 2217's modem state.
enum class ModemInput : unsigned char { Cts = 0x10, Dsr = 0x20, Ring = 0x40, CarrierDetect = 0x80 };

/// A serial port behind a terminal server. Its lines and its breaks are asked of the server, which is waited for (at most `answer`).
class Rfc2217Stream : public ByteStream {
 public:
  /// As last told by the server; nullopt: it never told.
  virtual std::optional<bool> modem_input(ModemInput input) const = 0;
  /// Drops what the server holds of the line and has not passed on.
  virtual void purge(bool received, bool to_send) = 0;
};

/// Named "rfc2217:HOST:PORT". Throws Error{NotFound, Disconnected, Timeout} of the connection, Error{Unsupported} where the server does not
/// speak RFC 2217, Error{Config} where it says that a setting is another than was asked for. A server that answers some questions never is
/// no error: see remark().
std::unique_ptr<Rfc2217Stream> open_rfc2217_stream(const Rfc2217Options& options, Deadline deadline);
/// Around a connection to such a server.
std::unique_ptr<Rfc2217Stream> make_rfc2217_stream(std::unique_ptr<ByteStream> connection, const Rfc2217Options& options,
                                                   Deadline deadline);

}  // namespace hilcop
