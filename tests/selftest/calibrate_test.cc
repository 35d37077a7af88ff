// SPDX-License-Identifier: Apache-2.0
// A planted latency is found; what shows nothing gives an error, never a figure.
#include "selftest/calibrate.h"

#include <gmock/gmock.h>

#include "fakes/error_of.h"
#include "planted_bench.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

double ms(Nanoseconds span) { return std::chrono::duration<double, std::milli>(span).count(); }

class Calibrate : public PlantedBench {
 protected:
  Calibration measure(const std::string& wanted, int switchings) {
    Arrivals arrivals(events_);
    auto bench = open(arrivals);
    auto& dut = bench->dut("a");
    const auto effect = choose_effect(wanted, dut, bench->config(), arrivals, dir_ / "sys");
    CalibrateOptions options;
    options.switchings = switchings;
    options.limit = 4s;
    return calibrate(dut, *effect, calibration_key(bench->config(), dut.config(), table()), options);
  }
  Error refusal(const std::string& wanted) {
    return error_of([&] { measure(wanted, 3); });
  }
};

// 120 ms, give or take 30, evenly: the median is 120, the median distance from it 15.
const std::vector<int> kPlanted{112, 150, 97, 120, 90, 135, 127, 105, 142};

TEST_F(Calibrate, APlantedLatencyAndItsSpreadAreFoundByWhatTheConsoleSays) {
  a_->delays_ms_ = kPlanted;
  const auto found = measure("console", static_cast<int>(kPlanted.size()));
  // That of this host alone is in the measured ones too, as it should be.
  const double late = ms(Nanoseconds(a_->latest_ns_.load()));
  ASSERT_LT(late, 100) << "a host that has no time measures nothing";
  for (const auto& [edge, spread] : {std::pair{"on", found.on}, std::pair{"off", found.off}}) {
    ASSERT_TRUE(spread) << edge;
    EXPECT_GE(spread->count, 7) << edge << to_json(found).dump();
    EXPECT_NEAR(ms(spread->median), 120, 10) << edge;
    EXPECT_NEAR(ms(spread->mad), 15, 8) << edge;
    EXPECT_NEAR(ms(spread->least), 90, 20) << edge;
    EXPECT_GE(ms(spread->most), 130) << edge;
    EXPECT_LE(ms(spread->most), 170 + late) << edge;
    EXPECT_GE(ms(spread->uncertainty()), 28) << edge;
    EXPECT_LE(ms(spread->uncertainty()), 80 + late) << edge;
  }
  EXPECT_EQ(found.effect, "console main");
  EXPECT_EQ(found.instrument, "planted:relay");
  EXPECT_FALSE(a_->powered());
}

TEST_F(Calibrate, WhatOnlyAnswersIsMadeToAnswerWhileItsPowerGoes) {
  a_->manner_ = PlantedDevice::Manner::Echoes;
  a_->delays_ms_ = {60};
  const auto found = measure("console", 3);
  ASSERT_TRUE(found.off);
  EXPECT_NEAR(ms(found.off->median), 60, 15);
}

TEST_F(Calibrate, AConsoleThatNeverSpeaksIsAnErrorThatSaysSo) {
  a_->manner_ = PlantedDevice::Manner::Mute;
  write_config("", "board: plain\nboot_stages: [{ name: up, pattern: x, deadline_s: 0.5 }]\n");
  const auto error = refusal("console");
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("said nothing in 1.0 s after the power of dut 'a' was switched on"));
}

TEST_F(Calibrate, AConsoleThatSpeaksWithoutPowerIsAnErrorThatSaysSo) {
  a_->stuck_ = true;
  EXPECT_THAT(refusal("console").what(), HasSubstr("speaks although the power of dut 'a' is off"));
  a_->manner_ = PlantedDevice::Manner::Echoes;  // silent until asked
  EXPECT_THAT(refusal("console").what(), HasSubstr("speaks although the power of dut 'a' is off"));
}

TEST_F(Calibrate, ADutThatKeepsItsPowerIsAnErrorThatSaysSo) {
  std::jthread later([&] {  // the first off, before anything is measured, still works
    while (!a_->powered()) real_clock().sleep_until(real_clock().now() + 1ms);
    a_->keeps_power_ms_ = 20'000;  // and 4 s are waited
  });
  EXPECT_THAT(refusal("console").what(), HasSubstr("speaks on although the power of dut 'a' was switched off"));
}

TEST_F(Calibrate, OnlyAVirtualBoardHasAClockOfItsOwn) { EXPECT_THAT(refusal("clock").what(), HasSubstr("has no clock of its own")); }

TEST_F(Calibrate, ALinkIsTheKernelsWord) {
  a_->delays_ms_ = {45};
  std::filesystem::create_directories(dir_ / "sys/class/net/eth7");
  std::ofstream(dir_ / "sys/class/net/eth7/carrier") << "0\n";
  // As the kernel of this test really said it: not before the first and not after the second of each. A busy host may be late.
  std::array<std::vector<Nanoseconds>, 2> came, went;
  std::jthread kernel([&](const std::stop_token& stop) {
    for (bool was = false; !stop.stop_requested(); real_clock().sleep_until(real_clock().now() + 500us))
      if (const bool is = a_->powered(); std::exchange(was, is) != is) {
        const auto contact = contacts()->all[0].look();  // it is switched again only when this was seen
        std::ofstream(dir_ / "sys/class/net/new") << (is ? "1\n" : "0\n");
        auto& said = is ? came : went;
        said[0].push_back(real_clock().now() - contact.changed);
        std::filesystem::rename(dir_ / "sys/class/net/new", dir_ / "sys/class/net/eth7/carrier");
        said[1].push_back(real_clock().now() - contact.changed);
      }
  });
  const auto found = measure("link:eth7", 5);
  kernel.request_stop(), kernel.join();
  for (const auto& [spread, said] : {std::pair{*found.on, came}, std::pair{*found.off, went}}) {
    EXPECT_GE(spread.median + spread.resolution + 5ms, spread_of(said[0], 0ms).median);
    EXPECT_LE(spread.median - spread.resolution - 5ms, spread_of(said[1], 0ms).median);
  }
  EXPECT_GE(ms(found.on->least + found.on->resolution), 40);
}

TEST_F(Calibrate, APlantedLatencyIsFoundByAnInputAndByTheCurrent) {
  contacts()->all[0].shows_late(kPlanted);
  const std::string plain = "channel: '0' }, ", verify = "channel: '0', verify: { meter: { name: amps, below: 0.05 } } }, ";
  change_config(plain, verify +
                           "inputs: { sense: { instrument: relay, channel: sense } }, "
                           "meters: { amps: { instrument: relay, channel: amps } }, ");
  for (const std::string by : {"input:sense", "meter:amps"}) {
    const auto found = measure(by, static_cast<int>(kPlanted.size()));
    for (const auto& spread : {found.on, found.off}) {
      ASSERT_TRUE(spread) << by;
      EXPECT_NEAR(ms(spread->median), 120, 10) << by << to_json(found).dump();
      EXPECT_NEAR(ms(spread->mad), 15, 8) << by;
    }
  }
  // A meter that no threshold is known of says nothing of on and off.
  change_config(verify, plain);
  EXPECT_THAT(refusal("meter:amps").what(), HasSubstr("verify: { meter: { name: amps, below: ... } }"));
}

TEST_F(Calibrate, AnEffectThatIsNotThereNamesThoseThatAre) {
  std::filesystem::create_directories(dir_ / "sys/class/net/eth7");
  EXPECT_THAT(refusal("link:eth8").what(), HasSubstr("eth7"));
  EXPECT_THAT(refusal("smell").what(), HasSubstr("choose one of: console"));
  EXPECT_THAT(refusal("usb:../../etc").what(), HasSubstr("names no place"));
  EXPECT_THAT(refusal("console:debug").what(), HasSubstr("main"));
}

TEST_F(Calibrate, WhatWasFoundIsKeptByInstrumentChannelAndDut) {
  Calibration one;
  one.dut = "planted/a", one.instrument = "planted:relay", one.channel = "0", one.effect = "console main";
  one.at = real_clock().utc_now();
  one.off = spread_of({10ms, 12ms, 11ms}, 1ms);
  save_calibration(one);
  const auto found = find_calibration(one);
  ASSERT_TRUE(found);
  EXPECT_EQ(to_json(*found), to_json(one));
  EXPECT_FALSE(found->on);
  for (auto part : {&Calibration::dut, &Calibration::instrument, &Calibration::channel}) {
    auto other = one;
    other.*part += "x";
    EXPECT_FALSE(find_calibration(other));
  }
  auto bench = open(events_);
  EXPECT_EQ(bench->dut("a").power_timing(), to_json(one));
  EXPECT_TRUE(bench->dut("b").power_timing().is_null());
  const auto opened = events_.events("bench.open").at(0).data.at("duts");
  EXPECT_EQ(opened.at("a").at("power_timing"), to_json(one));
  EXPECT_EQ(opened.at("a").at("instruments").at("power").at("switch_count"), 0);
}

TEST_F(Calibrate, ATornFileIsTimingThatIsNotKnown) {
  Calibration one;
  one.dut = "d", one.off = spread_of({10ms}, 1ms);
  save_calibration(one);
  const auto file = std::filesystem::directory_iterator(dir_ / "state/calibration")->path();
  const auto size = std::filesystem::file_size(file);
  for (std::uintmax_t kept = 0; kept < size - 2; kept += 7) {
    std::filesystem::resize_file(file, kept);
    EXPECT_FALSE(find_calibration(one)) << kept;
    save_calibration(one);
  }
}

TEST(Spread, IsRobust) {
  const auto spread = spread_of({10ms, 500ms, 12ms, 11ms, 13ms}, 2ms);
  EXPECT_EQ(spread.median, 12ms);
  EXPECT_EQ(spread.mad, 1ms);
  EXPECT_EQ(spread.least, 10ms);
  EXPECT_EQ(spread.most, 500ms);
  EXPECT_EQ(spread.uncertainty(), 490ms);
  EXPECT_EQ(spread_of({4ms, 2ms}, 0ms).median, 3ms);
}

}  // namespace
}  // namespace hilcop
