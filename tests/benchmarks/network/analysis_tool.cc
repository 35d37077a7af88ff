// SPDX-License-Identifier: Apache-2.0
// For network/analysis.py: makes captures, and reads them with or without canaries. Says processor seconds and what was found as JSON.
#include <sys/resource.h>

#include <cstdio>
#include <iostream>
#include <random>

#include "network/analysis/capture_report.h"
#include "network/analysis/mixed_traffic.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint64_t kPlantedEvery = 16u << 20;  // bytes of payload

std::vector<Canary> canaries() {
  std::mt19937_64 random(20261128);
  std::vector<Canary> made;
  for (int i = 0; i < 100; ++i) {
    std::string bytes;
    for (int c = 0; c < 16 + i % 17; ++c) bytes += "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_&/ "[random() % 61];
    made.push_back({"canary" + std::to_string(i), bytes});
  }
  return made;
}

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// A canary as a device may let it out, each time in another form.
std::string in_a_form(const std::string& secret, std::uint64_t which) {
  std::string text;
  switch (which % 4) {
    case 0:
      return secret;
    case 1:
      return {secret.rbegin(), secret.rend()};
    case 2:
      for (const unsigned char c : secret) text += {"0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
      return text;
    default:
      for (const char c : secret) text += {c, '\0'};
      return text;
  }
}

// Eight connections at a time, a third each of random bytes, text and base64; canaries cut by the border of two segments.
std::uint64_t make_large(const std::string& file, std::uint64_t size) {
  PcapngWriter writer(file, "bench");
  const auto wire = writer.add_interface("tap0", LinkType::Ethernet);
  std::mt19937_64 random(1);
  const auto secrets = canaries();
  const std::string text = "abcdefghijklmnopqrstuvwxyz0123456789 {}\":,.\n",
                    packed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/";
  auto at = kCaptureBegin;
  std::uint64_t planted = 0, written = 0;
  std::vector<std::uint32_t> next(8, 1001);
  const auto put = [&](const std::string& frame) {
    writer.packet(wire, {at += 10us, std::as_bytes(std::span(frame.data(), frame.size())), 0, ""});
    written += frame.size();
  };
  const End server{"198.51.100.7", 8080};
  const auto client = [](std::size_t i) { return End{"192.0.2.1", static_cast<std::uint16_t>(40000 + i)}; };
  for (std::size_t i = 0; i < 8; ++i) {
    put(tcp(client(i), server, 1000, 0, kSyn));
    put(tcp(server, client(i), 5000, 1001, kSyn | kAck));
  }
  std::string carry;
  for (std::size_t n = 0; written < size; ++n) {
    const auto i = n % 8;
    std::string payload(1400, '\0');
    for (std::size_t b = 0; b < payload.size(); b += 8) {
      auto bits = random();
      for (std::size_t k = b; k < b + 8; ++k, bits >>= 8)
        payload[k] = i < 3 ? static_cast<char>(bits) : i < 6 ? text[(bits & 255) % text.size()] : packed[(bits & 255) % packed.size()];
    }
    if (i == 0 && !carry.empty())
      payload.replace(0, carry.size(), carry), carry.clear();
    else if (i == 0 && written / kPlantedEvery >= planted) {
      const auto secret = in_a_form(secrets[planted % secrets.size()].bytes, planted);
      ++planted;
      payload.replace(payload.size() - 8, 8, secret.substr(0, 8));
      carry = secret.substr(8);
    }
    put(tcp(client(i), server, next[i], 5001, kAck, payload));
    next[i] += 1400;
    if (n % 16 == 15) put(tcp(server, client(i), 5001, next[i], kAck));
  }
  writer.statistics(wire, {}, at);
  return carry.empty() ? planted : planted - 1;
}

// The traffic of one device, again and again with other ports.
std::uint64_t make_mixed(const std::string& file, std::uint64_t packets) {
  std::vector<std::string> frames;
  const auto one = mixed_traffic();
  for (std::uint16_t round = 0; frames.size() < packets; ++round)
    for (auto frame : one) {
      // Another address of the device in each round: its last two bytes.
      for (const std::size_t at : {std::size_t{26}, std::size_t{30}})
        if (frame.compare(at, 4, packed_address(kDevice.address)) == 0) frame.replace(at + 2, 2, number(round + 0x1000u, 2));
      frames.push_back(std::move(frame));
    }
  write_capture(file, frames);
  return frames.size();
}

}  // namespace
}  // namespace hilcop::analysis

int main(int argc, char** argv) {
  using namespace hilcop::analysis;
  const std::string what = argc > 2 ? argv[1] : "", file = argc > 2 ? argv[2] : "";
  nlohmann::json said;
  if (what == "make-large") {
    said["planted"] = make_large(file, std::stoull(argv[3]));
  } else if (what == "make-mixed") {
    said["packets"] = make_mixed(file, std::stoull(argv[3]));
  } else if (what == "canaries" || what == "read") {
    CaptureReportOptions options;
    if (what == "canaries") options.canaries = canaries();
    const auto began = hilcop::real_clock().now();
    const auto report = analyse_capture(file, options);
    said = {{"seconds", processor_seconds()},
            {"wall_seconds", std::chrono::duration<double>(hilcop::real_clock().now() - began).count()},
            {"bytes", report.bytes},
            {"frames", report.frames},
            {"flows", report.flows.size()},
            {"found", report.canaries.size()},
            {"limits", report.limits},
            {"dns", report.observations.dns.size()},
            {"hellos", report.observations.client_hellos.size()},
            {"credentials", report.observations.credentials.size()}};
  } else {
    return std::fputs("usage: analysis_tool make-large|make-mixed|canaries|read FILE [SIZE]\n", stderr), 2;
  }
  std::cout << said.dump() << "\n";
}
