// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_stream.h"
#include "io/telnet.h"

namespace hilcop {

/// What a client asks of the server's serial port (RFC 2217); the server answers with command + 100 and what is now set.
enum class ComPort : unsigned char {
  Signature = 0,
  Baud = 1,
  DataBits = 2,
  Parity = 3,
  StopBits = 4,
  Control = 5,
  LineState = 6,   // told by the server
  ModemState = 7,  // told by the server
  Suspend = 8,
  Resume = 9,
  LineStateMask = 10,
  ModemStateMask = 11,
  Purge = 12,
};
/// Values of ComPort::Control.
namespace com_port_control {
inline constexpr char kFlowNone = 1, kFlowXonXoff = 2, kFlowRtsCts = 3, kBreakOn = 5, kBreakOff = 6, kDtrOn = 8, kDtrOff = 9, kRtsOn = 11,
                      kRtsOff = 12;
}  // namespace com_port_control

/// The client's half of telnet with RFC 2217, without a socket and without a clock: bytes in, the line's bytes and answers out.
class Rfc2217Session : private TelnetDecoder::Listener {
 public:
  struct Request {
    std::string what;  // for people: "baud", "DTR"
    std::string asked;
    std::optional<std::string> answered;  // the last answer's value
    int outstanding = 0;                  // answers that have not come
    bool setting = true;                  // false: a question or a wish, whose answer need not be waited for
  };
  enum class Agreement { Unknown, Yes, No };

  /// Offers binary both ways, no go-aheads, and the COM port option.
  Rfc2217Session();

  /// In place: the line's bytes move to the front. Returns how many.
  std::size_t receive(std::span<char> bytes) { return decoder_.decode(bytes, *this); }
  /// The line's bytes as they are sent. One byte of `bytes` never becomes more than two.
  void encode(std::string_view bytes, std::string& out) const;
  bool needs_encoding(char byte) const { return static_cast<unsigned char>(byte) == telnet::kIac || (byte == '\r' && !binary_out_); }
  void ask(ComPort command, std::string value, std::string what, bool setting = true);

  /// What is to be sent to the server; the sender takes off what it has sent.
  std::string& output() { return output_; }
  /// Whether the server takes COM port commands.
  Agreement com_port() const { return com_port_; }
  /// Whether every byte may pass, both ways.
  bool binary() const { return binary_in_ && binary_out_; }
  /// The server has answered whether it can be binary.
  bool negotiated() const;
  /// Every setting.
  bool all_answered() const;
  std::vector<Request> requests() const;
  const std::string& signature() const { return signature_; }
  /// The server asks for a pause in sending.
  bool suspended() const { return suspended_; }
  /// Notifications of line errors, counted. nullopt: the server does not promise any.
  std::optional<LineCounters> line_counters() const;
  /// Bits of NOTIFY-MODEMSTATE: 0x80 CD, 0x40 RI, 0x20 DSR, 0x10 CTS. nullopt: never told.
  std::optional<unsigned char> modem_state() const { return modem_state_; }
  /// Why nothing more can be understood; empty: all is well.
  const std::string& violation() const { return violation_; }

 private:
  static constexpr std::size_t kOptions = 256;
  void on_negotiation(unsigned char verb, unsigned char option) override;
  void on_subnegotiation(std::string_view payload) override;
  void on_endless() override { violation_ = "began a telnet subnegotiation that has no end"; }
  void answer(unsigned char verb, unsigned char option);
  void note_line_state(unsigned char bits);

  TelnetDecoder decoder_;
  std::string output_, signature_, violation_;
  // What was agreed: the server does it, we do it. `asked`: an agreement to what we offered, which is not answered again.
  std::array<bool, kOptions> theirs_{}, ours_{}, theirs_asked_{}, ours_asked_{};
  std::array<std::uint16_t, kOptions> answers_{};
  unsigned signatures_told_ = 0;
  Agreement com_port_ = Agreement::Unknown;
  bool binary_in_ = false, binary_out_ = false, suspended_ = false, tells_line_state_ = false;
  std::map<int, Request> requests_;
  LineCounters counters_;
  std::optional<unsigned char> modem_state_;
};

}  // namespace hilcop
