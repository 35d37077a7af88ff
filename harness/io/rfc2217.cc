// SPDX-License-Identifier: Apache-2.0
// Codes as in RFC 2217 and in pyserial's rfc2217.py; what ser2net sends was seen on the wire.
#include "io/rfc2217.h"

#include <algorithm>
#include <utility>

namespace hilcop {
namespace {

constexpr unsigned char kServer = 100;
// Of one option. A server that is told so often and asks again is not told again.
constexpr std::uint16_t kMostAnswers = 64;

// SET-CONTROL is five settings in one command: flow, break, DTR, RTS, inbound flow. An answer belongs to those of its kind.
int control_group(unsigned char value) {
  if (value <= 3 || value == 17 || value == 19) return 0;
  if (value <= 6) return 4;
  if (value <= 9) return 7;
  return value <= 12 ? 10 : 13;
}

int key_of(unsigned char command, std::string_view value) {
  const bool control = command == static_cast<unsigned char>(ComPort::Control) && !value.empty();
  return command * 256 + (control ? control_group(static_cast<unsigned char>(value[0])) : 0);
}

// What we let the server do, and what we do ourselves. An echo is the server's or the board's own affair.
bool wanted_of_server(unsigned char option) {
  return option == telnet::kBinary || option == telnet::kEcho || option == telnet::kSuppressGoAhead || option == telnet::kComPort;
}
bool wanted_of_us(unsigned char option) {
  return option == telnet::kBinary || option == telnet::kSuppressGoAhead || option == telnet::kComPort;
}

}  // namespace

Rfc2217Session::Rfc2217Session() {
  for (const auto option : {telnet::kComPort, telnet::kBinary, telnet::kSuppressGoAhead}) {
    ours_asked_[option] = true;
    output_ += telnet::negotiation(telnet::kWill, option);
  }
  for (const auto option : {telnet::kBinary, telnet::kSuppressGoAhead}) {
    theirs_asked_[option] = true;
    output_ += telnet::negotiation(telnet::kDo, option);
  }
}

void Rfc2217Session::encode(std::string_view bytes, std::string& out) const {
  for (const char byte : bytes) {
    out += byte;
    if (needs_encoding(byte)) out += byte == '\r' ? '\0' : byte;
  }
}

void Rfc2217Session::ask(ComPort command, std::string value, std::string what, bool setting) {
  const auto code = static_cast<unsigned char>(command);
  auto& request = requests_[key_of(code, value)];
  output_ += telnet::subnegotiation(std::string{static_cast<char>(telnet::kComPort), static_cast<char>(code)} + value);
  request.what = std::move(what);
  request.asked = std::move(value);
  request.answered.reset();
  request.setting = setting;
  ++request.outstanding;
}

void Rfc2217Session::answer(unsigned char verb, unsigned char option) {
  if (answers_[option] >= kMostAnswers) return;
  ++answers_[option];
  output_ += telnet::negotiation(verb, option);
}

// Answers changes alone (RFC 854): two sides that answer everything never end.
void Rfc2217Session::on_negotiation(unsigned char verb, unsigned char option) {
  const bool of_server = verb == telnet::kWill || verb == telnet::kWont;
  const bool yes = verb == telnet::kWill || verb == telnet::kDo;
  auto& agreed = (of_server ? theirs_ : ours_)[option];
  auto& asked = (of_server ? theirs_asked_ : ours_asked_)[option];
  const bool accepted = yes && (of_server ? wanted_of_server(option) : wanted_of_us(option));
  const bool reply_to_us = std::exchange(asked, false);
  if (!reply_to_us && (yes != accepted || accepted != agreed)) {
    if (of_server)
      answer(accepted ? telnet::kDo : telnet::kDont, option);
    else
      answer(accepted ? telnet::kWill : telnet::kWont, option);
  }
  agreed = accepted;
  // Some servers say WILL where they should say DO: either makes the commands theirs to take.
  if (option == telnet::kComPort && (accepted || !of_server)) com_port_ = accepted ? Agreement::Yes : Agreement::No;
  binary_out_ = ours_[telnet::kBinary];
  binary_in_ = theirs_[telnet::kBinary];
  decoder_.set_binary(binary_in_);
}

void Rfc2217Session::on_subnegotiation(std::string_view payload) {
  if (payload.size() < 2 || static_cast<unsigned char>(payload[0]) != telnet::kComPort) return;
  const auto code = static_cast<unsigned char>(payload[1]);
  const auto value = payload.substr(2);
  if (code < kServer) return;
  const auto command = static_cast<ComPort>(code - kServer);
  const auto first = value.empty() ? static_cast<unsigned char>(0) : static_cast<unsigned char>(value[0]);
  switch (command) {
    case ComPort::Signature:
      // Without text it asks for ours.
      if (!value.empty())
        signature_ = value;
      else if (signatures_told_++ == 0)
        output_ += telnet::subnegotiation(std::string{static_cast<char>(telnet::kComPort), '\0'} + "hilcop");
      break;
    case ComPort::LineState:
      if (!value.empty()) note_line_state(first);
      return;
    case ComPort::ModemState:
      if (!value.empty()) modem_state_ = first;
      return;
    case ComPort::Suspend:
    case ComPort::Resume:
      suspended_ = command == ComPort::Suspend;
      return;
    case ComPort::LineStateMask:
      tells_line_state_ = (first & 0x1eu) != 0;
      break;
    default:
      break;
  }
  const auto found = requests_.find(key_of(static_cast<unsigned char>(code - kServer), value));
  if (found == requests_.end()) return;
  auto& request = found->second;
  request.answered = value;
  // An answer that is as asked is the last one's: an earlier one may never come.
  request.outstanding = value == request.asked ? 0 : std::max(0, request.outstanding - 1);
}

void Rfc2217Session::note_line_state(unsigned char bits) {
  tells_line_state_ = true;
  counters_.overrun += (bits >> 1) & 1u;
  counters_.parity += (bits >> 2) & 1u;
  counters_.framing += (bits >> 3) & 1u;
  counters_.breaks += (bits >> 4) & 1u;
}

bool Rfc2217Session::negotiated() const {
  return com_port_ != Agreement::Unknown && !theirs_asked_[telnet::kBinary] && !ours_asked_[telnet::kBinary];
}

bool Rfc2217Session::all_answered() const {
  return std::all_of(requests_.begin(), requests_.end(),
                     [](const auto& entry) { return entry.second.outstanding == 0 || !entry.second.setting; });
}

std::vector<Rfc2217Session::Request> Rfc2217Session::requests() const {
  std::vector<Request> list;
  for (const auto& [key, request] : requests_) list.push_back(request);
  return list;
}

std::optional<LineCounters> Rfc2217Session::line_counters() const { return tells_line_state_ ? std::optional(counters_) : std::nullopt; }

}  // namespace hilcop
