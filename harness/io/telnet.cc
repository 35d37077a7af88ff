// SPDX-License-Identifier: Apache-2.0
#include "io/telnet.h"

#include <cstring>
#include <utility>

namespace hilcop {

namespace telnet {

std::string negotiation(unsigned char verb, unsigned char option) {
  return {static_cast<char>(kIac), static_cast<char>(verb), static_cast<char>(option)};
}

std::string subnegotiation(std::string_view payload) {
  std::string text{static_cast<char>(kIac), static_cast<char>(kSb)};
  for (const char c : payload) text.append(static_cast<unsigned char>(c) == kIac ? 2 : 1, c);
  return text + static_cast<char>(kIac) + static_cast<char>(kSe);
}

}  // namespace telnet

std::size_t TelnetDecoder::decode(std::span<char> bytes, Listener& listener) {
  std::size_t out = 0, in = 0;
  while (in < bytes.size()) {
    if (state_ == State::Data && binary_) {
      // The common case, at the speed of memory: everything up to the next command is data.
      const auto* found = static_cast<const char*>(std::memchr(bytes.data() + in, telnet::kIac, bytes.size() - in));
      const std::size_t run = found == nullptr ? bytes.size() - in : static_cast<std::size_t>(found - (bytes.data() + in));
      if (out != in) std::memmove(bytes.data() + out, bytes.data() + in, run);
      out += run, in += run;
      after_cr_ = false;
      if (in == bytes.size()) break;
    }
    const char c = bytes[in++];
    const auto byte = static_cast<unsigned char>(c);
    switch (state_) {
      case State::Data:
        if (byte == telnet::kIac) {
          state_ = State::Command;
        } else if (!std::exchange(after_cr_, c == '\r') || c != '\0' || binary_) {
          bytes[out++] = c;
        }
        break;
      case State::Command:
        if (command(byte)) {
          bytes[out++] = c;
          after_cr_ = false;
        }
        break;
      case State::Option:
        state_ = State::Data;
        listener.on_negotiation(verb_, byte);
        break;
      case State::Sub:
      case State::SubCommand:
        sub(byte, listener);
        break;
    }
  }
  return out;
}

// After IAC; true: it was a doubled one, a byte of the line. Commands without an option (NOP, GA, AYT...) say nothing to a line.
bool TelnetDecoder::command(unsigned char byte) {
  state_ = State::Data;
  if (byte >= telnet::kWill && byte <= telnet::kDont) {
    verb_ = byte;
    state_ = State::Option;
  } else if (byte == telnet::kSb) {
    payload_.clear();
    state_ = State::Sub;
  }
  return byte == telnet::kIac;
}

void TelnetDecoder::sub(unsigned char byte, Listener& listener) {
  if (state_ == State::Sub && byte == telnet::kIac) {
    state_ = State::SubCommand;
    return;
  }
  if (state_ == State::SubCommand && byte != telnet::kIac) {
    // SE ends it. Any other command there is a server's fault; it ends it as well, for what follows would be lost otherwise.
    state_ = State::Data;
    if (byte == telnet::kSe)
      listener.on_subnegotiation(payload_);
    else
      command(byte);
    return;
  }
  state_ = State::Sub;
  if (payload_.size() < kLongestSubnegotiation)
    payload_ += static_cast<char>(byte);
  else
    listener.on_endless();
}

}  // namespace hilcop
