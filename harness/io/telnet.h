// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace hilcop {

/// Codes of RFC 854 and the options that a serial line needs (RFC 856, 857, 858, 2217).
namespace telnet {
inline constexpr unsigned char kSe = 240, kSb = 250, kWill = 251, kWont = 252, kDo = 253, kDont = 254, kIac = 255;
inline constexpr unsigned char kBinary = 0, kEcho = 1, kSuppressGoAhead = 3, kComPort = 44;

/// IAC verb option.
std::string negotiation(unsigned char verb, unsigned char option);
/// IAC SB payload IAC SE, with 0xFF doubled.
std::string subnegotiation(std::string_view payload);
}  // namespace telnet

/// Takes telnet's commands out of what a server sends. Knows no option: what stands between the bytes of the line is told to the
/// listener, in order. Keeps its state from call to call, so that any cutting gives the same.
class TelnetDecoder {
 public:
  struct Listener {
    virtual ~Listener() = default;
    virtual void on_negotiation(unsigned char verb, unsigned char option) = 0;
    /// The payload, undoubled; `option` is its first byte.
    virtual void on_subnegotiation(std::string_view payload) = 0;
    /// It can no longer be told what is data: a subnegotiation without end.
    virtual void on_endless() = 0;
  };
  static constexpr std::size_t kLongestSubnegotiation = 4096;

  /// In place: the line's bytes move to the front of `bytes`. Returns how many they are.
  std::size_t decode(std::span<char> bytes, Listener& listener);
  /// From the server to us: a CR is a CR. Otherwise a NUL after a CR is telnet's (RFC 854), not the line's.
  void set_binary(bool binary) { binary_ = binary; }

 private:
  enum class State { Data, Command, Option, Sub, SubCommand };
  bool command(unsigned char byte);
  void sub(unsigned char byte, Listener& listener);

  State state_ = State::Data;
  unsigned char verb_ = 0;
  std::string payload_;
  bool binary_ = false, after_cr_ = false;
};

}  // namespace hilcop
