// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// RFC 854 without its commands, and with a line's corrections done; finds what is typed at prompts for a user and a password.
class TelnetStream final : public StreamDissector {
 public:
  explicit TelnetStream(StreamContext& context) : context_(context) {}
  void data(Side side, Bytes bytes, std::uint64_t offset) override;
  void gap(Side side) override;

 private:
  enum class Command { None, Iac, Option, Sub, SubIac };
  enum class Prompt { None, User, Password };
  void character(Side side, char c, std::uint64_t at);
  void prompted(std::uint64_t at);
  void line(std::uint64_t end);

  StreamContext& context_;
  Command commands_[2] = {};
  std::string said_;   // the end of what the server sent last
  std::string typed_;  // of the client's line
  std::uint64_t typed_begin_ = 0;
  bool after_return_ = false;
  Prompt prompt_ = Prompt::None;
  std::string user_;
};

/// Whether options are negotiated at the begin.
bool is_telnet(Bytes bytes);

/// FTP's USER and PASS (RFC 959).
class FtpStream final : public StreamDissector {
 public:
  explicit FtpStream(StreamContext& context) : context_(context) {}
  void data(Side side, Bytes bytes, std::uint64_t offset) override;
  void gap(Side side) override;

 private:
  void command(std::uint64_t end);
  StreamContext& context_;
  std::string line_, user_;
  std::uint64_t begin_ = 0;
  bool over_ = false;  // encrypted from here on
};

}  // namespace hilcop::analysis
