// SPDX-License-Identifier: Apache-2.0
// The sender against a receiver that holds it to the letter, and against bad ones. U-Boot's own is in test_uboot_board.py.
#include "flash/xymodem.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "console/io_loop.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "fakes/temp_dir.h"
#include "io/socket_stream.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

// Written after Forsberg's text, not after our sender: CRC-16 by polynomial division of the whole message.
unsigned remainder_of(const std::string& message) {
  unsigned crc = 0;
  for (const unsigned char c : message + std::string(2, '\0'))
    for (int bit = 7; bit >= 0; --bit) {
      const unsigned top = crc >> 15 & 1;
      crc = (crc << 1 | (c >> bit & 1)) & 0xffff;
      if (top != 0) crc ^= 0x1021;
    }
  return crc;
}

/// A receiver on the device's end of the line. What it got is in `files` and `names`.
class Receiver {
 public:
  struct Faults {
    int damage_every = 0;  // NAKs each so many-th block, as if it came damaged
    bool cancels = false;  // after the second block
    bool mute = false;
    bool twice = false;  // acknowledges the end twice, as U-Boot 2023.01 does
    bool hangs_up = false;
  };
  Receiver(int fd, bool ymodem, Faults faults) : fd_(fd), ymodem_(ymodem), faults_(faults), thread_([this] { run(); }) {}
  ~Receiver() { finish(); }
  void finish() {
    if (thread_.joinable()) thread_.join();
  }

  std::string name, size, content;
  std::string wrong;  // what of the protocol was not kept
  bool ended = false, cancelled = false;

 private:
  bool get(std::string& into, std::size_t bytes) {
    into.clear();
    while (into.size() < bytes) {
      pollfd set{fd_, POLLIN, 0};
      if (::poll(&set, 1, 3000) <= 0) return false;
      char c = 0;
      if (::read(fd_, &c, 1) != 1) return false;
      into += c;
    }
    return true;
  }
  void put(const std::string& bytes) const { ASSERT_EQ(::write(fd_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size())); }

  void run() {
    if (faults_.mute) return drain();
    put("C");
    unsigned expected = ymodem_ ? 0 : 1;
    int blocks = 0;
    std::string first;
    while (get(first, 1)) {
      if (first == "\x18") {
        cancelled = true;
        return drain();
      }
      if (first == "\x04") return end();
      if (first != "\x01" && first != "\x02") return complain("a block begins with " + std::to_string(static_cast<int>(first[0])));
      std::string head, data, sum;
      if (!get(head, 2) || !get(data, first == "\x01" ? 128 : 1024) || !get(sum, 2)) return complain("a block is cut off");
      if (static_cast<unsigned char>(head[0]) + static_cast<unsigned char>(head[1]) != 255)
        return complain("a number and its complement differ");
      if (remainder_of(data) != (static_cast<unsigned>(static_cast<unsigned char>(sum[0])) << 8 | static_cast<unsigned char>(sum[1])))
        return complain("a checksum is wrong");
      ++blocks;
      if (faults_.damage_every > 0 && blocks % faults_.damage_every == 0) {
        put("\x15");
        continue;
      }
      if (faults_.cancels && blocks == 3) {
        put("\x18\x18");
        return drain();
      }
      if (faults_.hangs_up && blocks == 3) return static_cast<void>(::shutdown(fd_, SHUT_RDWR));
      const auto number = static_cast<unsigned char>(head[0]);
      if (number != (expected & 0xff)) return complain("block " + std::to_string(number) + " instead of " + std::to_string(expected));
      if (ymodem_ && expected == 0) {
        name = data.c_str();
        size = data.c_str() + name.size() + 1;
        put("\x06");
        put("C");
      } else {
        content += data;
        put("\x06");
      }
      ++expected;
    }
  }
  void end() {
    put(faults_.twice ? "\x06\x06" : "\x06");
    if (!ymodem_) {
      ended = true;
      return;
    }
    put("C");
    std::string last;
    if (!get(last, 133)) return complain("no end of the list");
    if (last.substr(3, 128) != std::string(128, '\0')) return complain("the end of the list is not empty");
    put("\x06");
    ended = true;
  }
  void complain(const std::string& what) {
    wrong = what;
    drain();
  }
  void drain() {
    std::string c;
    while (get(c, 1)) cancelled = cancelled || c == "\x18";
  }

  int fd_;
  bool ymodem_;
  Faults faults_;
  std::thread thread_;
};

class XymodemTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    device_.reset(ends[1]);
    loop_ = IoLoop::start();
    ConsoleOptions options;
    options.source = "board1/main";
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    console_ = Console::open(make_socket_stream(UniqueFd(ends[0]), "test"), options, *loop_, sink_);
  }
  void content_of(std::size_t size) {
    content_.clear();
    for (std::size_t i = 0; i < size; ++i) content_ += static_cast<char>(i * 7 ^ i >> 8);
    std::ofstream(dir_ / "u-boot.img", std::ios::binary) << content_;
  }
  void send(ModemProtocol protocol, Nanoseconds limit = 20s) {
    const auto file = ImageFile::open_as_it_is(dir_ / "u-boot.img");
    send_file(*console_, protocol, {"u-boot.img", content_.size(), *file}, Deadline::in(limit),
              [this](std::uint64_t bytes) { told_ = bytes; });
  }

  TempDir dir_;
  MemorySink sink_;
  UniqueFd device_;
  std::unique_ptr<IoLoop> loop_;
  std::unique_ptr<Console> console_;
  std::string content_;
  std::uint64_t told_ = 0;
};

TEST_F(XymodemTest, YmodemSendsNameSizeAndContent) {
  content_of(300'001);  // more than 256 blocks: the number goes round
  Receiver receiver(device_.get(), true, {});
  send(ModemProtocol::Ymodem);
  receiver.finish();
  EXPECT_EQ(receiver.wrong, "");
  EXPECT_TRUE(receiver.ended);
  EXPECT_EQ(receiver.name, "u-boot.img");
  EXPECT_EQ(receiver.size, "300001");
  EXPECT_EQ(receiver.content.substr(0, content_.size()), content_);
  EXPECT_EQ(told_, content_.size());
}

TEST_F(XymodemTest, XmodemFillsTheLastBlock) {
  content_of(2049);
  Receiver receiver(device_.get(), false, {});
  send(ModemProtocol::Xmodem);
  receiver.finish();
  EXPECT_EQ(receiver.wrong, "");
  EXPECT_TRUE(receiver.ended);
  EXPECT_EQ(receiver.content, content_ + std::string(1023, '\x1a'));
}

TEST_F(XymodemTest, DamagedBlocksAreSentAgain) {
  content_of(20'000);
  Receiver receiver(device_.get(), true, {.damage_every = 3, .twice = true});
  send(ModemProtocol::Ymodem);
  receiver.finish();
  EXPECT_EQ(receiver.wrong, "");
  EXPECT_TRUE(receiver.ended);
  EXPECT_EQ(receiver.content.substr(0, content_.size()), content_);
}

TEST_F(XymodemTest, ALineOnWhichEveryBlockIsDamagedIsGivenUp) {
  content_of(5000);
  Receiver receiver(device_.get(), true, {.damage_every = 1});
  const auto error = error_of([&] { send(ModemProtocol::Ymodem); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("the header was sent 10 times"));
  console_->close();
  receiver.finish();
  EXPECT_TRUE(receiver.cancelled);
}

TEST_F(XymodemTest, AReceiverThatCancelsEndsIt) {
  content_of(5000);
  Receiver receiver(device_.get(), true, {.cancels = true});
  const auto error = error_of([&] { send(ModemProtocol::Ymodem); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("the receiver cancelled"));
  console_->close();
}

TEST_F(XymodemTest, AMuteReceiverEndsAtTheDeadlineAndIsToldToCancel) {
  content_of(5000);
  Receiver receiver(device_.get(), true, {.mute = true});
  const auto began = real_clock().now();
  const auto error = error_of([&] { send(ModemProtocol::Ymodem, 300ms); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_LT(real_clock().now() - began, 3s);
  console_->close();
  receiver.finish();
  EXPECT_TRUE(receiver.cancelled);
}

TEST_F(XymodemTest, ALineThatHangsUpIsDisconnected) {
  content_of(5000);
  Receiver receiver(device_.get(), true, {.hangs_up = true});
  EXPECT_EQ(error_of([&] { send(ModemProtocol::Ymodem); }).kind(), ErrorKind::Disconnected);
}

}  // namespace
}  // namespace hilcop
