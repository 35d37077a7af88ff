// SPDX-License-Identifier: Apache-2.0
// Wireshark's own programs read the files of a ring, each alone and all of them merged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "capture/packet_recorder.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "network/long_capture/numbered_frames.h"
#include "network/port/links.h"
#include "network/port/packet_ring.h"

namespace hilcop {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class WiresharkTest : public testing::Test {
 protected:
  std::string run(const std::string& program, std::vector<std::string> arguments) const {
    ProcessOptions options;
    options.program = program;
    options.arguments = std::move(arguments);
    options.environment = {{"HOME", dir_.path()}};
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(60s));
    EXPECT_EQ(result.status.code, 0) << program << ": " << result.output;
    return result.output;
  }
  std::vector<std::string> tshark(const std::filesystem::path& file, const std::string& filter, const std::string& field) const {
    const auto into = dir_ / "said";
    run("sh", {"-c", R"(exec tshark -n -r "$0" -Y "$1" -T fields -e "$2" >"$3" 2>/dev/null)", file, filter, field, into});
    std::ifstream said(into);
    std::vector<std::string> lines;
    for (std::string line; std::getline(said, line);) lines.push_back(line);
    return lines;
  }
  std::filesystem::path merged(const CaptureOnDisk::Files& files) const {
    auto into = dir_ / "merged.pcapng";
    std::vector<std::string> words{"-w", into};
    words.insert(words.end(), files.begin(), files.end());
    run("mergecap", words);
    return into;
  }
  std::unique_ptr<CaptureFiles> ring(std::size_t files) const {
    auto made = std::make_unique<CaptureFiles>(dir_ / "a.pcapng", CaptureRing{CaptureRing::kLeastBytes, files}, "hilcop", "run 42");
    made->begin("lo", LinkType::Ethernet);
    return made;
  }
  static void add(CaptureFiles& to, std::uint32_t number) { to.packet({real_clock().utc_now(), numbered_frame(number), 0, ""}); }

  TempDir dir_;
};

TEST_F(WiresharkTest, AllFilesTogetherAreWhatWasRecorded) {
  const auto files = ring(100);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    if (i % 10 == 0) files->mark("mark " + std::to_string(i));
    add(*files, i);
  }
  files->finish(real_clock().utc_now());
  const auto paths = *files->on_disk().files;
  ASSERT_GE(paths.size(), 5U);
  for (const auto& file : paths) {
    const auto head = run("capinfos", {file});
    EXPECT_THAT(head, HasSubstr("Number of stat entries = 1")) << file;
    EXPECT_THAT(head, HasSubstr("Capture comment:     run 42")) << file;
  }
  const auto whole = merged(paths);
  const auto data = tshark(whole, "eth.type == 0x88b5", "data.data");
  ASSERT_EQ(data.size(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const auto bytes = numbered_frame(i);
    std::string hex;
    for (std::size_t at = 14; at < 18; ++at) {
      constexpr char kHex[] = "0123456789abcdef";
      hex += kHex[static_cast<std::size_t>(bytes[at]) >> 4];
      hex += kHex[static_cast<std::size_t>(bytes[at]) & 15];
    }
    ASSERT_EQ(data[i].substr(0, 8), hex) << "packet " << i << " is lost, doubled or in the wrong place";
  }
  const auto comments = tshark(whole, "frame.comment", "frame.comment");
  ASSERT_EQ(comments.size(), 100U);
  EXPECT_EQ(comments.back(), "mark 990");
}

class TlsInARingTest : public WiresharkTest {
 protected:
  /// Passes "lo" of this namespace: openssl's two ends, one of which asks for a page; and the secrets of it.
  void talk() {
    Links links;
    links.set_up("lo", true);
    run("openssl",
        {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a.example", "-keyout", dir_ / "key", "-out", dir_ / "cert"});
    PacketRecorder recorder(std::make_unique<PacketRing>("lo"), std::make_unique<PcapngWriter>(dir_ / "talk.pcapng", "test"));
    ProcessOptions server;
    server.program = "openssl";
    server.arguments = {"s_server", "-accept", "443", "-www", "-key", dir_ / "key", "-cert", dir_ / "cert", "-quiet"};
    const auto serving = ChildProcess::start(server);
    const auto listens = [] {
      std::ifstream sockets("/proc/self/net/tcp6");
      const std::string all{std::istreambuf_iterator<char>(sockets), {}};
      return all.find(":01BB 00000000000000000000000000000000:0000 0A") != std::string::npos;
    };
    for (const auto deadline = Deadline::in(20s); !listens();) ASSERT_FALSE(deadline.expired());
    run("sh", {"-c", R"(printf 'GET /canary HTTP/1.0\r\n\r\n' | openssl s_client -connect 127.0.0.1:443 -ign_eof -keylogfile "$0" 2>&1)",
               dir_ / "keys"});
    recorder.stop();
    std::ifstream keys(dir_ / "keys");
    secrets_ = {std::istreambuf_iterator<char>(keys), {}};
    ASSERT_THAT(secrets_, HasSubstr("CLIENT_TRAFFIC_SECRET_0 "));
  }
  std::string secrets_;
};

TEST_F(TlsInARingTest, TheLastFileOpensASessionWhoseSecretsCameLongBefore) {
  ASSERT_NO_FATAL_FAILURE(talk());
  EXPECT_THAT(tshark(dir_ / "talk.pcapng", "http.request", "http.request.uri"), Not(Contains("/canary")))
      << "without secrets nobody reads it";
  const auto files = ring(3);
  files->tls_secrets(secrets_);
  std::uint32_t fill = 0;
  while (files->on_disk().files_removed < 2) add(*files, fill++);
  CaptureReader reader(dir_ / "talk.pcapng");
  while (const auto packet = reader.next()) files->packet(*packet);
  files->finish(real_clock().utc_now());
  const auto paths = *files->on_disk().files;
  EXPECT_THAT(tshark(paths.back(), "http.request", "http.request.uri"), Contains("/canary"));
  EXPECT_THAT(tshark(merged(paths), "http.request", "http.request.uri"), Contains("/canary"));
}

// The handshake stands at the end of one file, what it protects in the next.
TEST_F(TlsInARingTest, ASessionAcrossABorderIsOpenedWhenItsFilesAreMerged) {
  ASSERT_NO_FATAL_FAILURE(talk());
  const auto files = ring(100);
  files->tls_secrets(secrets_);
  CaptureReader reader(dir_ / "talk.pcapng");
  std::uint32_t fill = 0;
  while (const auto packet = reader.next()) {
    if (packet->frame % 3 == 0)
      for (const auto now = files->on_disk().files; files->on_disk().files == now;) add(*files, fill++);
    files->packet(*packet);
  }
  files->finish(real_clock().utc_now());
  const auto paths = *files->on_disk().files;
  ASSERT_GE(paths.size(), 4U);
  EXPECT_THAT(tshark(merged(paths), "http.request", "http.request.uri"), Contains("/canary"));
}

}  // namespace
}  // namespace hilcop
