// SPDX-License-Identifier: Apache-2.0
// Disks, USB sockets and loopbacks of a bench are reached through their drivers.
#include "selftest_of_bench.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SelftestOfBench, ADiskThatIsMissingIsFoundAndGivenBack) {
  change_config("  relay: {", "  card: { driver: planted-disk, file: card }\n  relay: {");
  change_config("channel: '0' }",
                "channel: '0' }, storage: { main: { instrument: card, appear_s: 0.1, "
                "mux: { instrument: relay, channel: '2', host: on } } }");
  auto items = test({"a"});
  EXPECT_THAT(grade(items, "storage", "a"), HasSubstr("fail: disk: is not there; plug it in"));
  EXPECT_FALSE(contacts()->all[2].on);
  std::ofstream(dir_ / "card") << "x";
  items = test({"a"});
  EXPECT_THAT(failures(items), IsEmpty());
  EXPECT_EQ(grade(items, "storage", "a"), "pass: planted disk");
  EXPECT_EQ(grade(items, "instruments", ""), "pass: open");
  for (const auto& item : items) EXPECT_THAT(item.text, testing::Not(HasSubstr("no DUT uses it")));
  EXPECT_EQ(contacts()->all[2].switched, 4) << "to the host and back, twice";
}

TEST_F(SelftestOfBench, ADisksOwnWordIsTakenWhileItsDutRuns) {
  change_config("  relay: {", "  own: { driver: planted-disk, file: own }\n  relay: {");
  change_config("channel: '0' }", "channel: '0' }, storage: { main: { instrument: own, appear_s: 0.1 } }");
  EXPECT_THAT(grade(test({"a"}), "storage", "a"), HasSubstr("not proved: not shown while the DUT ran"));
  std::ofstream(dir_ / "own") << "x";
  EXPECT_EQ(grade(test({"a"}), "storage", "a"), "pass: planted disk");
}

TEST_F(SelftestOfBench, AUsbSocketThatShowsNothingIsAWarning) {
  change_config("channel: '0' }", "channel: '0' }, usb: { path: 99-9 }");
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "usb", "a"), HasSubstr("warning: nothing is shown there in 10 s with power"));
}

TEST_F(SelftestOfBench, ALoopbackIsTestedThroughItsDriver) {
  write_config("", kQuickBoard);
  std::ofstream(dir_ / "bench.yaml", std::ios::app) << "loopbacks: { spare: { instrument: line-c, channel: console } }\n";
  std::ifstream file(dir_ / "bench.yaml");
  std::string text(std::istreambuf_iterator<char>(file), {});
  text.insert(text.find("duts:"), "  line-c: { driver: planted-console, socket: c.sock }\n");
  std::ofstream(dir_ / "bench.yaml") << text;
  PlantedDevice plug(dir_ / "c.sock", 0);
  plug.stuck_ = true, plug.manner_ = PlantedDevice::Manner::Echoes;
  EXPECT_THAT(grade(test({"a"}), "loopback", ""), HasSubstr("pass: 512 bytes of every value"));
  plug.manner_ = PlantedDevice::Manner::Mute;
  EXPECT_THAT(failures(test({"a"})), testing::Contains(HasSubstr("none came back")));
}

}  // namespace
}  // namespace hilcop
