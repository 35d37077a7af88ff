// SPDX-License-Identifier: Apache-2.0
// A bench network whose disk is full, or bounded by a ring: what it records fails or goes round, and the network goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "io/unix_socket.h"
#include "network/long_capture/numbered_frames.h"
#include "network/process/client.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class FullDiskNetworkTest : public testing::Test {
 protected:
  void start(const std::filesystem::path& capture, std::optional<CaptureRing> ring = {}) {
    NetworkClient::Options options;
    options.program = build_dir() / "tests/network/process/network_program";
    options.setup.name = "device";
    options.setup.ports = {{"device", dir_ / "cable", "", capture, ring}};
    network_ = NetworkClient::start(std::move(options), Deadline::in(20s));
    cable_ = connect_unix(dir_ / "cable", Deadline::in(5s));
  }
  void TearDown() override {
    if (network_) network_->close(Deadline::in(10s));
  }
  json ask(const std::string& what, const json& how = json::object()) { return network_->ask(what, how, Deadline::in(20s)); }

  /// As QEMU sends it: its length, then the frame.
  void send(const std::vector<std::byte>& frame) const {
    std::vector<std::byte> bytes{std::byte{0}, std::byte{0}, static_cast<std::byte>(frame.size() >> 8),
                                 static_cast<std::byte>(frame.size())};
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    std::span<const std::byte> rest(bytes);
    for (const auto deadline = Deadline::in(20s); !rest.empty() && wait_ready(cable_.get(), POLLOUT, deadline);) {
      const auto size = ::send(cable_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      ASSERT_TRUE(size > 0 || errno == EAGAIN) << std::strerror(errno);
      if (size > 0) rest = rest.subspan(static_cast<std::size_t>(size));
    }
    ASSERT_TRUE(rest.empty()) << "the network takes nothing more";
  }
  void send(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) send(numbered_frame(sent_++));
  }
  /// All that was sent so far has passed the port: an answer of the gateway comes behind it.
  bool answers() const {
    std::vector<std::byte> question;
    for (const int byte : {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0,  0, 0,  0x50, 0x08, 0x06, 0, 1, 0x08, 0,  6,  4, 0,
                           1,    0x02, 0,    0,    0,    0,    0x50, 10, 77, 0, 50, 0,    0,    0,    0, 0, 0,    10, 77, 0, 1})
      question.push_back(static_cast<std::byte>(byte));
    send(question);
    const std::string answer{"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 10};
    std::string bytes;
    char piece[65536];
    for (const auto deadline = Deadline::in(10s); wait_ready(cable_.get(), POLLIN, deadline);) {
      const auto size = ::read(cable_.get(), piece, sizeof piece);
      if (size <= 0) return false;
      bytes.append(piece, static_cast<std::size_t>(size));
      if (bytes.find(answer) != std::string::npos) return true;
    }
    return false;
  }
  static std::vector<std::filesystem::path> paths(const json& figures) {
    std::vector<std::filesystem::path> files;
    for (const auto& file : figures.at("files")) files.emplace_back(file.get<std::string>());
    return files;
  }

  TempDir dir_;
  SmallDisk disk_{dir_ / "disk", std::size_t{4} << 20};
  std::unique_ptr<NetworkClient> network_;
  UniqueFd cable_;
  std::uint32_t sent_ = 0;
};

TEST_F(FullDiskNetworkTest, ItsCaptureFailsByNameAndItsServicesGoOn) {
  start(disk_ / "a.pcapng");
  send(5000);
  ASSERT_TRUE(answers());
  const auto error = error_of([&] { ask("capture.sync"); });
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted);
  EXPECT_THAT(error.what(), HasSubstr(disk_ / "a.pcapng"));
  EXPECT_TRUE(answers()) << "the wire and the gateway know nothing of the disk";
  const auto status = ask("status");
  EXPECT_EQ(status.at("captures").at("main").at("failure").at("kind"), "Exhausted");
  EXPECT_GT(status.at("captures").at("main").at("dropped"), 1000);
  EXPECT_TRUE(status.at("services").at("failures").empty());
  // Another disk has room.
  ask("capture.start", {{"name", "other"}, {"file", dir_ / "other.pcapng"}});
  EXPECT_TRUE(answers());
  const auto other = ask("capture.stop", {{"name", "other"}});
  EXPECT_TRUE(other.at("failure").is_null());
  EXPECT_EQ(other.at("dropped"), 0);
  EXPECT_GT(other.at("packets"), 0);
  const auto closed = ask("close");
  EXPECT_EQ(closed.at("captures").at("main").at("failure").at("kind"), "Exhausted") << "who closes the bench learns it";
  EXPECT_TRUE(numbered_frames({disk_ / "a.pcapng"}).damage.empty());
}

TEST_F(FullDiskNetworkTest, ARingOfItsMainCaptureGoesRoundOnASmallDisk) {
  start(disk_ / "a.pcapng", CaptureRing{1'000'000, 3});
  for (int i = 0; i < 10; ++i) {
    send(1000);
    ASSERT_TRUE(answers());
  }
  const auto figures = ask("capture.sync");
  EXPECT_EQ(paths(figures).size(), 3U);
  EXPECT_EQ(figures.at("dropped"), 0);
  EXPECT_GT(figures.at("packets_removed"), 5000);
  EXPECT_GT(figures.at("begins_ns"), 0);
  ask("close");
  const auto found = numbered_frames(paths(figures));
  ASSERT_FALSE(found.numbers.empty());
  EXPECT_EQ(found.numbers.back(), sent_ - 1);
  EXPECT_EQ(found.numbers.size(), sent_ - found.numbers.front());
}

TEST_F(FullDiskNetworkTest, ARingIsAskedForByNumbersThatMakeSense) {
  start(dir_ / "a.pcapng");
  const auto refused = [&](const json& ring) {
    return error_of([&] { ask("capture.start", {{"name", "b"}, {"file", dir_ / "b.pcapng"}, {"ring", ring}}); }).kind();
  };
  EXPECT_EQ(refused({{"file_bytes", 100}, {"files", 3}}), ErrorKind::Config);
  EXPECT_EQ(refused({{"file_bytes", 1'000'000}}), ErrorKind::Config);
  EXPECT_EQ(refused(json::array()), ErrorKind::Config);
  ask("capture.start", {{"name", "b"}, {"file", dir_ / "b.pcapng"}, {"ring", {{"file_bytes", 1'000'000}, {"files", 3}}}});
  ASSERT_TRUE(answers());
  const auto stopped = ask("capture.stop", {{"name", "b"}});
  EXPECT_EQ(paths(stopped), ring_files(dir_ / "b.pcapng"));
  EXPECT_EQ(paths(stopped).size(), 1U);
}

}  // namespace
}  // namespace hilcop
