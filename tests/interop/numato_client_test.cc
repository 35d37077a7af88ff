// SPDX-License-Identifier: Apache-2.0
// pdudaemon's own driver for Numato modules switches the imitated ones: so numato-relay, which works with the same module
// (tests/contract), is not right by a shared mistake alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/protocols/numato.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

class PdudaemonTest : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Modules, PdudaemonTest, testing::Values(16, 32, 64));

TEST_P(PdudaemonTest, SwitchesAsItDoesARealModule) {
  NumatoRelays relays{GetParam()};
  FarEnd module(std::make_unique<NumatoProtocol>(relays), FarEnd::Over::Serial);
  const auto count = std::to_string(GetParam());
  const std::string driver = "NumatoUSB" + count;
  ProcessOptions options;
  options.program = "/usr/bin/python3";
  options.arguments = {"-c",
                       "import logging; logging.basicConfig(level=logging.INFO)\n"
                       "from pdudaemon.drivers.numatousb import " +
                           driver +
                           "\n"
                           "module = " +
                           driver + "('bench', {'device': '" + module.serial_port() +
                           "'})\n"
                           "for port in (1, 3, " +
                           count +
                           "): module.port_interaction('on', port)\n"
                           "module.port_interaction('off', 3)\n"};
  options.capture_output = true;
  const auto result = run_process(options, Deadline::in(40s));
  ASSERT_EQ(result.status.code, 0) << result.output;
  EXPECT_THAT(result.output, testing::HasSubstr("ver: 00000008")) << "it reads answers too";
  for (std::size_t n = 1; n <= GetParam(); ++n) EXPECT_EQ(relays.on[n - 1], n == 1 || n == GetParam()) << n;
}

}  // namespace
}  // namespace hilcop
