// SPDX-License-Identifier: Apache-2.0
#include "flash/xymodem.h"

#include <array>
#include <vector>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr char kSoh = 0x01, kStx = 0x02, kEot = 0x04, kAck = 0x06, kNak = 0x15, kCan = 0x18, kFill = 0x1a;
constexpr std::size_t kShort = 128, kLong = 1024;
constexpr int kTries = 10;
constexpr Nanoseconds kAnswer = 10s;  // Forsberg: the sender waits no shorter than the receiver's own ten seconds

// CRC-16/XMODEM: polynomial 0x1021, from 0, most significant bit first.
std::uint16_t crc16(std::string_view bytes) {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned>(static_cast<unsigned char>(c)) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000u) != 0 ? (crc << 1 ^ 0x1021u) & 0xffffu : crc << 1 & 0xffffu;
  }
  return static_cast<std::uint16_t>(crc);
}

std::string block(unsigned number, const std::string& data) {
  const auto crc = crc16(data);
  std::string all{data.size() == kShort ? kSoh : kStx, static_cast<char>(number & 0xff), static_cast<char>(~number & 0xff)};
  all += data;
  all += static_cast<char>(crc >> 8);
  all += static_cast<char>(crc & 0xff);
  return all;
}

class Sender {
 public:
  Sender(Console& console, Deadline deadline) : console_(console), deadline_(deadline) {}

  /// 'C' asks for a file with CRC-16; what stands before it does not matter.
  void wait_for_request() {
    const std::array asked{Pattern::literal("C"), Pattern::literal(std::string(2, kCan))};
    const auto match = console_.try_expect(asked, deadline_.at_most(6 * kAnswer));
    if (!match)
      throw failed(deadline_.expired() ? "not done in time: the receiver does not ask for the file"
                                       : "the receiver does not ask for the file");
    if (match->pattern == 1) throw cancelled();
  }

  void send(const std::string& bytes, const std::string& what) {
    for (int tries = 0; tries < kTries; ++tries) {
      console_.mark();  // an answer that came late to an earlier try is none to this one
      console_.write(bytes, deadline_);
      const std::array answers{Pattern::literal(std::string(1, kAck)), Pattern::literal(std::string(1, kNak)),
                               Pattern::literal(std::string(2, kCan))};
      const auto match = console_.try_expect(answers, deadline_.at_most(kAnswer));
      if (match && match->pattern == 0) return;
      if (match && match->pattern == 2) throw cancelled();
      if (deadline_.expired()) throw failed("not done in time: " + what + " is not acknowledged");
    }
    throw failed(what + " was sent " + std::to_string(kTries) + " times and is not acknowledged");
  }

  /// After the last block. True when the receiver asks for another file, as Ymodem has it.
  bool asks_again() {
    const std::array next{Pattern::literal("C"), Pattern::literal("##"), Pattern::literal("=>")};
    const auto match = console_.try_expect(next, deadline_.at_most(3s));
    return match && match->pattern == 0;
  }

  void cancel() noexcept {
    try {
      console_.write(std::string(8, kCan), Deadline::in(1s));
    } catch (const std::exception&) {
      // What failed before it is what is told.
    }
  }

 private:
  Error failed(const std::string& why) const {
    const bool late = deadline_.expired();
    return {late ? ErrorKind::Timeout : ErrorKind::Protocol, "console " + console_.source(), why,
            late ? "give it more time" : "see whether the line is sound (`pacing:` in the board file) and the board waits for the file"};
  }
  Error cancelled() const {
    return {ErrorKind::Protocol, "console " + console_.source(), "the receiver cancelled the transfer", "see the console for its reason"};
  }

  Console& console_;
  Deadline deadline_;
};

}  // namespace

void send_file(Console& console, ModemProtocol protocol, ModemFile file, Deadline deadline,
               const std::function<void(std::uint64_t)>& progress) {
  Sender sender(console, deadline);
  try {
    sender.wait_for_request();
    if (protocol == ModemProtocol::Ymodem) {
      std::string header = file.name + '\0' + std::to_string(file.size);
      header.resize(header.size() < kShort ? kShort : kLong, '\0');
      sender.send(block(0, header), "the header");
    }
    std::uint64_t done = 0;
    for (unsigned number = 1; done < file.size; ++number) {
      progress(done);
      std::string data(kLong, kFill);
      const auto n = file.content.read(
          std::as_writable_bytes(std::span(data)).first(static_cast<std::size_t>(std::min<std::uint64_t>(kLong, file.size - done))));
      if (n == 0) throw Error(ErrorKind::Protocol, "image " + file.name, "became shorter while it was sent", "leave it alone meanwhile");
      done += n;
      sender.send(block(number, data), "block " + std::to_string(number));
    }
    sender.send(std::string(1, kEot), "the end");
    if (protocol == ModemProtocol::Ymodem && sender.asks_again()) sender.send(block(0, std::string(kShort, '\0')), "the end of the list");
    progress(done);
  } catch (...) {
    sender.cancel();
    throw;
  }
}

}  // namespace hilcop
