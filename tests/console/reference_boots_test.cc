// SPDX-License-Identifier: Apache-2.0
#include "console/reference_boots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/boot_run.h"
#include "fakes/error_of.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string normal(const std::string& text) { return BootNoise().normal(text); }

// A complete boot that says these lines.
BootLog boot(const std::vector<std::string>& lines, std::vector<std::string> noise = {}) {
  std::string all;
  for (const auto& line : lines) all += line + "\r\n";
  BootLog made;
  made.dut = "d";
  made.noise = std::move(noise);
  made.declared = {"ready"};
  made.span = {0, all.size()};
  made.stages.push_back({"ready", 1s, 5s, true, {all.size(), all.size()}});
  take_lines(made, all);
  return made;
}

std::vector<std::string> new_in(const std::vector<BootLog>& reference, const BootLog& other) {
  std::vector<std::string> texts;
  for (const auto& one : ReferenceBoots(reference).not_in(other)) texts.push_back(other.lines[one.line].text);
  return texts;
}
std::vector<std::string> missing_in(const std::vector<BootLog>& reference, const BootLog& other) {
  std::vector<std::string> texts;
  for (const auto& one : ReferenceBoots(reference).missing_from(other)) texts.push_back(one.line.text);
  return texts;
}

TEST(BootNoise, WhatDiffersBetweenAnyTwoBootsIsMasked) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"[    1.234567] virtio up", "[   12.000001] virtio up"},
           {"[    1.234567][    T1] x", "[    1.234568][  T120] x"},
           {"sshd[123]: listening", "sshd[4]: listening"},
           {"daemon started, pid 77", "daemon started, pid 1234"},
           {"worker pid=3 ready", "worker pid=99 ready"},
           {"scan took 12.3 ms", "scan took 9 ms"},
           {"read at 34 MB/s", "read at 33.5 MB/s"},
           {"clock set to 2025-11-24T10:11:12 UTC (1763979072)", "clock set to 2026-01-02T03:04:05 UTC (1767323045)"},
           {"Mon Nov 24 10:11:12 UTC 2025 hello", "Tue Nov 25 11:12:13 UTC 2025 hello"},
           {"it is 23:59:59 now", "it is 00:00:00 now"},
           {"stack at ffff800012345678", "stack at ffff8000deadbeef"},
           {"heap 0x55d0c0ffee12 mapped", "heap 0x5612aabbccdd mapped"},
           {"audit: audit(0.123:1): ok", "audit: audit(0.456:1): ok"},
           {"a   b", "a b"}})
    EXPECT_EQ(normal(one), normal(other)) << normal(one);
}

TEST(BootNoise, WhatMayBeARealDifferenceStays) {
  for (const auto& [one, other] : std::vector<std::pair<std::string, std::string>>{
           {"U-Boot 2023.01 (Mar 12 2023 - 20:11:22 +0000)", "U-Boot 2023.01 (Mar 13 2023 - 20:11:22 +0000)"},
           {"Linux version 6.1.0 #1 SMP Mon Nov 24 10:11:12 UTC 2025", "Linux version 6.1.0 #1 SMP Tue Nov 25 10:11:12 UTC 2025"},
           {"Created: 2026-11-24 23:11:30 UTC", "Created: 2026-11-25 23:11:30 UTC"},
           {"app 1.2.3 started", "app 1.2.4 started"},
           {"Memory: 240M", "Memory: 120M"},
           {"eth0: 00:11:22:33:44:55", "eth0: 00:11:22:33:44:56"},
           {"address 192.168.1.5", "address 192.168.1.6"},
           {"listening on port 22", "listening on port 23"},
           {"3 partitions", "4 partitions"},
           {"Link is Up - 100Mbps/Full", "Link is Up - 1000Mbps/Full"},
           {"idVendor=0403 pid=6001 vid", "idVendor=0403 pid=6015 vid"},
           {"chip id 0x410fd034", "chip id 0x410fd083"},
           {"[mem 0x0000000040000000-0x000000004fffffff]", "[mem 0x0000000040000000-0x000000005fffffff]"},
           {"Hash value: d418ce578d1c70b6", "Hash value: d418ce578d1c70b7"},
           {"Serial: 00000000a3b4c5d6", "Serial: 00000000a3b4c5d7"},
           {"watchdog: timeout 60 s", "watchdog: timeout 0 s"},
           {"pci 0000:00:01.0", "pci 0000:00:02.0"},
           {"device number 3", "device number 4"},
           {"\u2039pid\u203a", "[12]:"}})
    EXPECT_NE(normal(one), normal(other));
  EXPECT_NE(BootNoise().normal(boot_text("x\u2039pid\u203a:")), normal("x[12]:")) << "a device must not be able to print a mask";
}

TEST(BootNoise, ABoardsPatternMasksWhatItMatchesAndNeverWholeLines) {
  const BootNoise noise({"up=[0-9.]+"});
  EXPECT_EQ(noise.normal("READY up=1.5 ok"), noise.normal("READY up=22.25 ok"));
  for (const char* all : {".+", "^.{1,200}$", "[a-z ]+", ".", "\\S+"})
    EXPECT_THAT(error_of([&] { BootNoise({all}); }).what(), HasSubstr("no line would ever be new")) << all;
  EXPECT_THAT(error_of([] { BootNoise({"("}); }).what(), HasSubstr("pattern"));
}

TEST(ReferenceBoots, OrderAndRepeatsOfWhatRepeatsDoNotCount) {
  const std::vector reference{boot({"a", "b", "b", "c"})};
  EXPECT_THAT(new_in(reference, boot({"c", "b", "b", "b", "a"})), IsEmpty());
  EXPECT_THAT(missing_in(reference, boot({"c", "b", "b", "b", "a"})), IsEmpty());
}

TEST(ReferenceBoots, ALineMoreALineLessAndALineAgainAreFound) {
  const std::vector reference{boot({"a", "b", "c"})};
  EXPECT_THAT(new_in(reference, boot({"a", "b", "evil", "c"})), ElementsAre("evil"));
  EXPECT_THAT(missing_in(reference, boot({"a", "c"})), ElementsAre("b"));
  EXPECT_THAT(new_in(reference, boot({"a", "b", "c", "c"})), ElementsAre("c"));
  EXPECT_THAT(missing_in({boot({"a", "b", "b"})}, boot({"a", "b"})), ElementsAre("b"));
  EXPECT_THAT(missing_in({boot({"a", "b", "b"}), boot({"a", "b"})}, boot({"a", "b"})), IsEmpty());
}

TEST(ReferenceBoots, WithOneBootNothingIsLearnedWithTwoWhatVaries) {
  const auto one = boot({"READY up=1.5", "port 22"}), two = boot({"READY up=1.7", "port 22"});
  EXPECT_THAT(new_in({one}, two), ElementsAre("READY up=1.7"));
  const auto other = boot({"READY up=9.9", "port 23"});
  EXPECT_THAT(new_in({one, two}, other), ElementsAre("port 23"));
  EXPECT_THAT(missing_in({one, two}, other), ElementsAre("port 22"));
}

TEST(ReferenceBoots, OfSeveralLinesOfOneShapeOnlyTheNumberThatVariesIsNoise) {
  const std::vector reference{boot({"cpu0: 100 loops", "cpu1: 101 loops"}), boot({"cpu0: 102 loops", "cpu1: 99 loops"})};
  EXPECT_THAT(new_in(reference, boot({"cpu0: 90 loops", "cpu1: 91 loops"})), IsEmpty());
  EXPECT_THAT(new_in(reference, boot({"cpu0: 90 loops", "cpu1: 91 loops", "cpu2: 92 loops"})), ElementsAre("cpu2: 92 loops"));
}

TEST(ReferenceBoots, ALineThatOnlySomeReferenceBootsHaveTeachesNoNumber) {
  const std::vector reference{boot({"usb 1: port 1", "usb 2: port 2"}), boot({"usb 1: port 1"})};
  EXPECT_THAT(new_in(reference, boot({"usb 1: port 1", "usb 3: port 3"})), ElementsAre("usb 3: port 3"));
  EXPECT_THAT(missing_in(reference, boot({"usb 1: port 1"})), IsEmpty());
  EXPECT_THAT(new_in(reference, boot({"usb 1: port 1", "usb 2: port 2"})), IsEmpty());
  ASSERT_EQ(ReferenceBoots(reference).sometimes().size(), 1u);
  EXPECT_EQ(ReferenceBoots(reference).sometimes()[0].in_boots, 1u);
}

TEST(ReferenceBoots, AddressesThatAreRandomAreLearnedWhole) {
  const std::vector reference{boot({"mac 02:00:5e:10:00:01", "id 6f9619ff-8b86-d011-b42d-00c04fc964ff"}),
                              boot({"mac 02:00:5e:10:00:ff", "id aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"})};
  EXPECT_THAT(new_in(reference, boot({"mac aa:bb:cc:dd:ee:00", "id 00000000-8b86-d011-b42d-00c04fc964ff"})), IsEmpty());
}

TEST(ReferenceBoots, ABootInDoubtIsNoReference) {
  auto cut = boot({"a", "evil"});
  cut.stages.clear();
  auto gap = boot({"a", "evil"});
  gap.gaps.push_back({"overrun", 0, {}, {}, ""});
  const ReferenceBoots reference(std::vector{boot({"a"}), cut, gap});
  EXPECT_EQ(reference.boots(), 1u);
  EXPECT_THAT(reference.left_out(), ElementsAre(HasSubstr("before its stage"), HasSubstr("gap")));
  EXPECT_THAT(new_in({boot({"a"}), cut, gap}, boot({"evil"})), ElementsAre("evil"));
}

TEST(ReferenceBoots, ALineThatWasCutOffIsNewOnlyIfNoneBeginsLikeIt) {
  BootRun reference, cut, other;
  reference.boot({"U-Boot\r\n", "mounting the data partition\r\n", "READY\r\n", "login: "}).off();
  cut.boot({"U-Boot\r\n", "mounting the da"}).off();
  other.boot({"U-Boot\r\n", "mounting some other thi"}).off();
  EXPECT_THAT(new_in(reference.boots(), cut.boots()[0]), IsEmpty());
  EXPECT_THAT(new_in(reference.boots(), other.boots()[0]), ElementsAre("mounting some other thi"));
  EXPECT_THAT(new_in(reference.boots(), reference.boots()[0]), IsEmpty());
}

TEST(ReferenceBoots, ALineThatWasCutOffStandsForAMissingOneOnlyIfThatBeginsLikeIt) {
  BootRun reference, other, same;
  reference.boot({"U-Boot\r\n", "[    0.100000] virtio up\r\n", "READY\r\n", "virtio> "}).off();
  other.boot({"U-Boot\r\n", "READY\r\n", "[    9.000000] ran"}).off();
  same.boot({"U-Boot\r\n", "READY\r\n", "[    9.000000] virt"}).off();
  EXPECT_THAT(missing_in(reference.boots(), other.boots()[0]), ElementsAre("[    0.100000] virtio up"));
  EXPECT_THAT(missing_in(reference.boots(), same.boots()[0]), IsEmpty());
}

TEST(ReferenceBoots, ALineAfterTheLastStageIsNewOnlyIfTheReferenceWasWatchedForLongEnough) {
  BootRun brief, patient, oops;
  brief.boot({"U-Boot\r\n", "READY\r\n"}).off();
  patient.boot({"U-Boot\r\n", "READY\r\n", "[    9.000000] quiet\r\n", "[    9.900000] still\r\n"}).off();
  oops.boot({"U-Boot\r\n", "READY\r\n", "[    5.000000] Oops\r\n", "[    6.000000] late\r\n"}).off();
  EXPECT_THAT(new_in(brief.boots(), oops.boots()[0]), IsEmpty());
  EXPECT_THAT(new_in(patient.boots(), oops.boots()[0]), ElementsAre("[    5.000000] Oops"));
  EXPECT_THAT(missing_in(patient.boots(), brief.boots()[0]), IsEmpty());
}

TEST(ReferenceBoots, ANumberIsLearnedFromALineThatLacksItsEndToo) {
  BootRun one, two, other;
  one.boot({"U-Boot\r\n", "READY up=1.5"}).off();
  two.boot({"U-Boot\r\n", "READY up=1.7\r\n"}).off();
  other.boot({"U-Boot\r\n", "READY up=2.9\r\n"}).off();
  for (const auto& reference : {std::vector{one.boots()[0], two.boots()[0]}, std::vector{one.boots()[0], one.boots()[0], two.boots()[0]}}) {
    EXPECT_THAT(new_in(reference, other.boots()[0]), IsEmpty());
    EXPECT_THAT(missing_in(reference, other.boots()[0]), IsEmpty());
  }
}

TEST(ReferenceBoots, TheSameNoiseIsMaskedOnBothSides) {
  EXPECT_THAT(new_in({boot({"n 1"}, {"n \\d"})}, boot({"n 2"})), IsEmpty());
  EXPECT_THAT(new_in({boot({"n 1"})}, boot({"n 2"}, {"n \\d"})), ElementsAre("n 2"));
}

TEST(ReferenceBoots, AnUnknownLineWouldBeFoundAndAKnownOneNot) {
  const ReferenceBoots reference(std::vector{boot({"a", "a line"})});
  EXPECT_TRUE(reference.would_find("hilcop planted this"));
  EXPECT_FALSE(reference.would_find("a line"));
}

TEST(ReferenceBoots, ManyLinesAndBootsTakeNoQuadraticTime) {
  std::vector<std::string> lines;
  for (int i = 0; i < 20'000; ++i) lines.push_back("line " + std::to_string(i) + " of many " + std::to_string(i * 7));
  std::vector<BootLog> boots;
  for (int i = 0; i < 10; ++i) {
    lines.back() = "varies " + std::to_string(i);
    boots.push_back(boot(lines));
  }
  const ReferenceBoots reference(boots);
  EXPECT_EQ(reference.boots(), 10u);
  EXPECT_THAT(reference.not_in(boots[3]), IsEmpty());
}

}  // namespace
}  // namespace hilcop
