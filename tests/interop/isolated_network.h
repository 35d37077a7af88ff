// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/interrupt.h"
#include "capture/pcapng_writer.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"

namespace hilcop {

/// A network of two ends, "bench" in this process's namespace and "dut" in one of its own, made of nothing that outlives the test.
/// `isolated` runs the test's body in a process of its own in an unnamed namespace (unshare(1)): as root, or as anybody who may make one.
class IsolatedNetwork : public testing::Test {
 protected:
  static constexpr const char* kMark = "HILCOP_TEST_ISOLATED";
  // Without anybody's settings. To root it says what it thinks of that.
  static constexpr const char* kTshark = R"(HOME=$(dirname "$0") exec tshark -n -r "$0" "$@" 2>/dev/null)";

  void isolated(const std::function<void()>& body) {
    if (::getenv(kMark) != nullptr) {
      make_network();
      if (!HasFatalFailure()) body();
      return;
    }
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    ProcessOptions options;
    options.program = "env";
    // A sharded run is not to leave this test out.
    options.arguments = {"-u", "GTEST_TOTAL_SHARDS", "-u", "GTEST_SHARD_INDEX", std::string(kMark) + "=1", "unshare", "--net"};
    if (::geteuid() != 0) options.arguments.push_back("--map-root-user");
    options.arguments.push_back(std::filesystem::read_symlink("/proc/self/exe"));
    options.arguments.push_back("--gtest_filter=" + std::string(test->test_suite_name()) + "." + test->name());
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(50s));
    EXPECT_EQ(result.status.code, 0) << result.status.text() << "\n" << result.output;
    EXPECT_NE(result.output.find("[  PASSED  ] 1 test."), std::string::npos) << result.output;
  }

  static std::string run(const std::string& program, const std::vector<std::string>& arguments) {
    ProcessOptions options;
    options.program = program;
    options.arguments = arguments;
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(30s));
    EXPECT_EQ(result.status.code, 0) << program << ": " << result.output;
    return result.output;
  }
  static void ip(const std::vector<std::string>& arguments) { run("ip", arguments); }
  // In the device's namespace.
  std::vector<std::string> in_dut(std::vector<std::string> words) const {
    words.insert(words.begin(), "--net=/proc/" + std::to_string(dut_->pid()) + "/ns/net");
    return words;
  }
  std::string dut(const std::vector<std::string>& words) const { return run("nsenter", in_dut(words)); }

  static void until(const std::string& what, const std::function<bool()>& is_so) {
    const auto deadline = Deadline::in(25s);
    while (!is_so()) {
      ASSERT_FALSE(deadline.expired()) << what;
      wait_until(deadline.at_most(10ms));
    }
  }

  /// A network namespace of its own, for as long as the process lives.
  static std::unique_ptr<ChildProcess> other_host() {
    ProcessOptions holder;
    holder.program = "unshare";
    holder.arguments = {"--net", "tail", "-f", "/dev/null"};
    auto host = ChildProcess::start(holder);
    until("its namespace", [&] { return network_of(std::to_string(host->pid())) != network_of("self"); });
    return host;
  }

  /// All that has passed "bench" so far, as a capture.
  std::filesystem::path captured() {
    const auto file = dir_ / "bench.pcapng";
    PcapngWriter writer(file, "test");
    const auto wire = writer.add_interface("bench", LinkType::Ethernet);
    std::array<std::byte, 4096> frame;
    for (ssize_t n = 0; (n = ::recv(wire_.get(), frame.data(), frame.size(), MSG_DONTWAIT)) > 0;)
      writer.packet(wire, {real_clock().utc_now(), std::span(frame).first(static_cast<std::size_t>(n)), 0, ""});
    writer.flush();
    return file;
  }
  /// Wireshark's word for each packet that the filter takes; its own complaints fail the test.
  std::string tshark(const std::filesystem::path& file, const std::string& filter, const std::vector<std::string>& fields) const {
    const std::string wrong =
        "(" + filter + ") && (_ws.malformed || _ws.expert.severity == \"Error\" || _ws.expert.severity == \"Warning\")";
    EXPECT_EQ(run("sh", {"-c", kTshark, file, "-Y", wrong, "-V"}), "");
    std::vector<std::string> words{"-c", kTshark, file, "-Y", filter, "-T", "fields", "-E", "separator=|"};
    for (const auto& field : fields) words.insert(words.end(), {"-e", field});
    return run("sh", words);
  }

  TempDir dir_;
  std::unique_ptr<ChildProcess> dut_;
  UniqueFd wire_;

 private:
  static std::string network_of(const std::string& process) { return std::filesystem::read_symlink("/proc/" + process + "/ns/net"); }

  void make_network() {
    dut_ = other_host();
    const auto number = std::to_string(dut_->pid());
    ip({"link", "add", "bench", "type", "veth", "peer", "name", "dut", "netns", number});
    dut({"ip", "link", "set", "dut", "address", "02:00:00:00:00:01"});
    dut({"ip", "link", "set", "lo", "up"});
    std::ofstream("/proc/sys/net/ipv6/conf/bench/accept_dad") << 0;  // its address is usable at once
    ip({"link", "set", "bench", "up"});
    wire_.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003)));
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(0x0003);
    at.sll_ifindex = static_cast<int>(::if_nametoindex("bench"));
    ASSERT_EQ(::bind(wire_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    dut({"ip", "link", "set", "dut", "up"});
  }
};

/// What a service tells, from its thread to the test's.
template <class Report>
class Reports {
 public:
  std::function<void(const Report&)> keep() {
    return [this](const Report& report) {
      const std::scoped_lock lock(mutex_);
      reports_.push_back(report);
    };
  }
  std::vector<Report> all() const {
    const std::scoped_lock lock(mutex_);
    return reports_;
  }
  std::size_t count(const std::function<bool(const Report&)>& which) const {
    const auto now = all();
    return static_cast<std::size_t>(std::count_if(now.begin(), now.end(), which));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Report> reports_;
};

}  // namespace hilcop
