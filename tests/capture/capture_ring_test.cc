// SPDX-License-Identifier: Apache-2.0
// A capture in a ring of files: what CaptureFiles writes, read as one by CaptureSequence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "capture/capture_files.h"
#include "capture/capture_sequence.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kPacketBytes = 1000;

class CaptureRingTest : public testing::Test {
 protected:
  static std::string content(std::uint64_t number) {
    auto text = std::to_string(number) + ".";
    text.resize(kPacketBytes, 'x');
    return text;
  }
  std::unique_ptr<CaptureFiles> ring(std::size_t files) const {
    auto made = std::make_unique<CaptureFiles>(dir_ / "a.pcapng", CaptureRing{CaptureRing::kLeastBytes, files}, "hilcop", "run 42");
    made->begin("tap0", LinkType::Ethernet);
    return made;
  }
  void write(CaptureFiles& to, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto text = content(written_++);
      to.packet({real_clock().utc_now(), std::as_bytes(std::span(text)), 0, ""});
    }
  }
  /// Until the file that is written is the next.
  void fill(CaptureFiles& to) {
    for (const auto files = to.on_disk().files; to.on_disk().files == files;) write(to, 1);
  }

  struct Read {
    std::vector<std::uint64_t> numbers, frames;
    std::map<std::uint64_t, std::string> comments;  // by number
    std::vector<std::string> missing, damage;
    std::vector<std::optional<CaptureCounts>> counts;
    std::vector<CaptureSequence::File> files;
    std::size_t interfaces = 0;
  };
  static Read read(const std::vector<std::filesystem::path>& files, bool goes_on = false) {
    CaptureSequence sequence(files, goes_on);
    Read read;
    while (const auto packet = sequence.next()) {
      read.numbers.push_back(std::stoull(std::string(reinterpret_cast<const char*>(packet->bytes.data()), 20)));
      read.frames.push_back(packet->frame);
      if (!packet->comment.empty()) read.comments[read.numbers.back()] = packet->comment;
    }
    read.missing = sequence.missing(), read.damage = sequence.damage(), read.counts = sequence.counts(), read.files = sequence.files();
    read.interfaces = sequence.interfaces().size();
    return read;
  }
  static std::vector<std::uint64_t> range(std::uint64_t begin, std::uint64_t end) {
    std::vector<std::uint64_t> numbers;
    for (auto i = begin; i < end; ++i) numbers.push_back(i);
    return numbers;
  }
  std::vector<std::filesystem::path> on_disk() const { return ring_files(dir_ / "a.pcapng"); }
  static std::string secrets_of(const std::filesystem::path& file) {
    CaptureReader reader(file);
    while (reader.next()) {
    }
    return reader.tls_secrets();
  }

  TempDir dir_;
  std::uint64_t written_ = 0;
};

TEST_F(CaptureRingTest, ItsFilesAreBoundedAndTogetherTheWhole) {
  {
    const auto files = ring(100);
    write(*files, 2000);
    files->finish(real_clock().utc_now());
    EXPECT_EQ(files->on_disk().packets, 2000u);
    EXPECT_EQ(*files->on_disk().files, on_disk());
    EXPECT_EQ(files->on_disk().packets_removed, 0u);
  }
  EXPECT_GE(on_disk().size(), 8u);
  for (const auto& file : on_disk()) {
    EXPECT_LE(std::filesystem::file_size(file), CaptureRing::kLeastBytes);
    CaptureReader alone(file);
    while (alone.next()) {
    }
    EXPECT_THAT(alone.damage(), IsEmpty());
    EXPECT_THAT(alone.comments(), Contains(HasSubstr("run 42\nhilcop ring {")));
    ASSERT_TRUE(alone.counts().at(0));
    EXPECT_EQ(alone.counts()[0]->dropped, 0u);
  }
  const auto all = read(on_disk());
  EXPECT_EQ(all.numbers, range(0, 2000));
  EXPECT_EQ(all.frames, range(1, 2001));
  EXPECT_THAT(all.missing, IsEmpty());
  EXPECT_THAT(all.damage, IsEmpty());
  EXPECT_EQ(all.interfaces, 1u);
  ASSERT_TRUE(all.counts.at(0));
  EXPECT_EQ(all.counts[0]->received, 2000u);
  EXPECT_EQ(all.files.at(1).first_frame, all.files.at(0).frames + 1);
}

TEST_F(CaptureRingTest, OldFilesGoAndWhatWentWithThemIsTold) {
  const auto files = ring(3);
  const auto begin = files->on_disk().begins;
  fill(*files), fill(*files);
  EXPECT_EQ(files->on_disk().begins, begin) << "nothing has gone";
  write(*files, 2000);
  files->finish(real_clock().utc_now());
  const auto told = files->on_disk();
  EXPECT_THAT(on_disk(), SizeIs(3));
  EXPECT_EQ(*told.files, on_disk());
  EXPECT_GT(told.files_removed, 5u);
  EXPECT_GT(told.begins, begin);
  std::uint64_t bytes = 0;
  for (const auto& file : on_disk()) bytes += std::filesystem::file_size(file);
  EXPECT_EQ(told.bytes, bytes);
  const auto kept = read(on_disk());
  EXPECT_EQ(kept.numbers, range(told.packets_removed, told.packets));
  EXPECT_THAT(kept.missing, ElementsAre(HasSubstr(std::to_string(told.packets_removed) + " packets were recorded before")));
}

TEST_F(CaptureRingTest, AMarkStandsAtItsPacketOnWhicheverSideOfABorder) {
  const auto files = ring(100);
  for (int i = 0; i < 1000; ++i) {
    files->mark("before " + std::to_string(i));
    write(*files, 1);
  }
  files->finish(real_clock().utc_now());
  ASSERT_GE(on_disk().size(), 3u);
  const auto all = read(on_disk());
  ASSERT_EQ(all.comments.size(), 1000u);
  for (const auto& [number, comment] : all.comments) ASSERT_EQ(comment, "before " + std::to_string(number));
}

TEST_F(CaptureRingTest, SecretsOfSessionsThatRunStandInEachFileAndOthersDoNot) {
  const auto files = ring(100);
  files->tls_secrets("CLIENT_RANDOM aaaa 1111\n");
  files->tls_secrets("CLIENT_HANDSHAKE_TRAFFIC_SECRET bbbb 2222\nEXPORTER_SECRET bbbb 3333\n");
  fill(*files);
  files->tls_over("aaaa");
  fill(*files);
  files->finish(real_clock().utc_now());
  EXPECT_THAT(secrets_of(on_disk().at(1)), HasSubstr("EXPORTER_SECRET bbbb 3333"));
  EXPECT_THAT(secrets_of(on_disk().at(2)), HasSubstr("CLIENT_RANDOM aaaa 1111")) << "its last packets may come late";

  RunningSecrets secrets(100);
  const SteadyTime now(1h);
  secrets.add("# a comment\nCLIENT_RANDOM aaaa 1111\nCLIENT_RANDOM bbbb 2222\n");
  secrets.over("aaaa", now);
  EXPECT_EQ(secrets.lines(now + RunningSecrets::kLinger), "CLIENT_RANDOM aaaa 1111\nCLIENT_RANDOM bbbb 2222\n");
  EXPECT_EQ(secrets.lines(now + RunningSecrets::kLinger + 1ns), "CLIENT_RANDOM bbbb 2222\n");
  secrets.add("CLIENT_RANDOM cccc 3333\nCLIENT_RANDOM dddd 4444\n");
  secrets.over("cccc", now);
  secrets.add("CLIENT_RANDOM eeee 5555\nCLIENT_RANDOM ffff 6666\n");
  EXPECT_EQ(secrets.lines(now), "CLIENT_RANDOM bbbb 2222\nCLIENT_RANDOM dddd 4444\nCLIENT_RANDOM eeee 5555\nCLIENT_RANDOM ffff 6666\n")
      << "those that are over go first";
  EXPECT_EQ(secrets.forgotten(), 0u);
  secrets.add("CLIENT_RANDOM gggg 7777\n");
  EXPECT_EQ(secrets.forgotten(), 1u);
}

// The kernel tells a loss while what it had room for before still waits to be written.
TEST_F(CaptureRingTest, ALossNearABorderCountsInEveryFileThatMayLackIt) {
  const auto files = ring(100);
  write(*files, 10);
  files->lost(7, 300);  // behind the 310th packet at the latest: in the second file
  fill(*files);
  fill(*files);
  files->finish(real_clock().utc_now());
  std::vector<std::uint64_t> dropped;
  for (const auto& file : on_disk()) dropped.push_back(read({file}).counts.at(0)->dropped);
  EXPECT_THAT(dropped, ElementsAre(7, 7, 0));
  EXPECT_EQ(read(on_disk()).counts.at(0)->dropped, 14u);
}

TEST_F(CaptureRingTest, WhatIsNotAmongTheFilesIsSaid) {
  {
    const auto files = ring(100);
    for (int i = 0; i < 3; ++i) fill(*files);
    files->finish(real_clock().utc_now());
  }
  const auto all = on_disk();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_THAT(read({all[0]}).missing, ElementsAre(HasSubstr("the capture goes on in files that are none of these")));
  EXPECT_THAT(read({all[3]}).missing, ElementsAre(HasSubstr("packets were recorded before a_00004_")));
  const auto in_second = read({all[1]}).numbers.size();
  EXPECT_THAT(read({all[0], all[2], all[3]}).missing,
              ElementsAre(HasSubstr(std::to_string(in_second) + " packets were recorded before a_00003_")));
  EXPECT_THAT(read({all[0], all[1], all[1], all[2], all[3]}).missing, Contains(HasSubstr("is no later file of the same capture")));
  EXPECT_THAT(read({all[1], all[0]}).missing, Contains(HasSubstr("is no later file of the same capture")));
  // One that was torn and taken for whole.
  std::filesystem::resize_file(all[1], std::filesystem::file_size(all[1]) - 5000);
  const auto torn = read(all);
  EXPECT_THAT(torn.missing, ElementsAre(HasSubstr("packets were recorded before a_00003_")));
  EXPECT_THAT(torn.damage, ElementsAre(HasSubstr("a_00002_")));
  EXPECT_FALSE(torn.counts.at(0));
}

TEST_F(CaptureRingTest, FilesOfNobodysRingAreNotTakenForOneWhole) {
  for (const char* name : {"b.pcapng", "c.pcapng"}) {
    PcapngWriter writer(dir_ / name, "hilcop");
    writer.add_interface("tap0", LinkType::Ethernet);
    writer.statistics(0, {0, 0}, real_clock().utc_now());
  }
  EXPECT_THAT(read({dir_ / "b.pcapng"}).missing, IsEmpty());
  EXPECT_THAT(read({dir_ / "b.pcapng", dir_ / "c.pcapng"}).missing,
              ElementsAre("nobody can say what passed between b.pcapng and c.pcapng"));
  EXPECT_EQ(error_of([this] { read({dir_ / "b.pcapng", dir_ / "none"}); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_of([] { read({}); }).kind(), ErrorKind::Config);
}

TEST_F(CaptureRingTest, AFileThatIsRemovedBeforeItIsReadIsSaid) {
  const auto files = ring(2);
  fill(*files);
  const auto then = *files->on_disk().files;
  fill(*files);
  files->flush();
  const auto found = read(then, true);
  EXPECT_THAT(found.damage, ElementsAre(HasSubstr(then[0].filename().string() + ": was removed before it was read")));
  EXPECT_THAT(found.missing, Contains(HasSubstr("packets were recorded before")));
  EXPECT_EQ(error_of([&] { read(then); }).kind(), ErrorKind::NotFound) << "of one that nobody writes a name is wrong";
}

TEST_F(CaptureRingTest, AFileThatIsOldEnoughIsFollowedByTheNext) {
  CaptureFiles files(dir_ / "a.pcapng", {CaptureRing::kLeastBytes, 10, 1ns}, "hilcop", "");
  files.begin("tap0", LinkType::Ethernet);
  files.flush();
  write(files, 1);
  EXPECT_THAT(on_disk(), SizeIs(1)) << "an empty file is not followed by another";
  files.flush();
  write(files, 1);
  EXPECT_THAT(on_disk(), SizeIs(2));
}

TEST_F(CaptureRingTest, WhatMakesNoRingIsRefusedByName) {
  ring(2);
  const auto error = error_of([this] { ring(2); });
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.what(), HasSubstr("files of an earlier ring are there"));
  const auto refused = [](const nlohmann::json& asked) { return error_of([&] { capture_ring_from_json(asked, "capture a"); }); };
  EXPECT_FALSE(capture_ring_from_json(nullptr, "capture a"));
  EXPECT_EQ(capture_ring_from_json({{"file_bytes", 1e6}, {"files", 2}, {"file_s", 1.5}}, "capture a")->file_time, 1500ms);
  for (const auto& wrong : std::vector<nlohmann::json>{7,
                                                       {{"files", 2}},
                                                       {{"file_bytes", 1e6}},
                                                       {{"file_bytes", 1000}, {"files", 2}},
                                                       {{"file_bytes", 1e30}, {"files", 2}},
                                                       {{"file_bytes", 1e6}, {"files", 1}},
                                                       {{"file_bytes", 1e6}, {"files", 2}, {"file_s", -1}}})
    EXPECT_EQ(refused(wrong).kind(), ErrorKind::Config) << wrong;
}

TEST_F(CaptureRingTest, ThatTheNextFileCannotBeMadeIsAFailure) {
  const auto files = ring(3);
  fill(*files);
  const auto before = files->on_disk();
  const auto end = real_clock().utc_now() + 60s;
  // Whoever makes the name of the next file before it does, whatever second that is.
  for (auto at = end - 120s; at < end; at += 1s) std::ofstream(ring_file(dir_ / "a.pcapng", 3, at)) << "taken";
  while (!files->failure()) write(*files, 1);
  EXPECT_THAT(files->failure()->what(), HasSubstr("a_00003_"));
  write(*files, 5);
  files->finish(real_clock().utc_now());
  EXPECT_EQ(files->on_disk().packets + 6, written_) << "those that came since are not counted as written";
  EXPECT_EQ(read(*before.files).numbers, range(0, files->on_disk().packets));
  EXPECT_THAT(read(*before.files).missing, ElementsAre(HasSubstr("the capture goes on")));
}

}  // namespace
}  // namespace hilcop
