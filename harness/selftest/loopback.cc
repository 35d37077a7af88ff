// SPDX-License-Identifier: Apache-2.0
#include "selftest/loopback.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <random>

#include <fmt/format.h>

#include "base/interrupt.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kStale = 50ms;  // what was on its way before

std::string pattern(bool xon_xoff, std::uint64_t seed) {
  std::string bytes;
  for (int value = 0; value < 512; ++value)
    if (const char byte = static_cast<char>(value & 0xff); !xon_xoff || (byte != 0x11 && byte != 0x13)) bytes += byte;
  std::mt19937_64 random(seed);
  std::shuffle(bytes.begin(), bytes.end(), random);
  return bytes;
}

std::string read_now(ByteStream& stream) {
  std::array<std::byte, 1024> buffer;
  const auto count = stream.read_some(buffer);
  return {reinterpret_cast<const char*>(buffer.data()), count};
}

// Until the line has been still for a while.
void drain(ByteStream& stream, Deadline deadline) {
  while (wait_ready(stream.fd(), POLLIN, deadline.at_most(kStale)) && !deadline.expired())
    if (read_now(stream).empty()) stream.check_present();
}

}  // namespace

SelftestItem check_loopback(const std::string& name, ByteStream& stream, bool xon_xoff, std::uint64_t seed, Deadline deadline) {
  drain(stream, deadline.at_most(1s));
  const auto sent = pattern(xon_xoff, seed);
  std::string back;
  std::size_t written = 0;
  while (back.size() < sent.size() && !deadline.expired()) {
    if (written < sent.size()) written += stream.write_some(std::as_bytes(std::span(sent).subspan(written)));
    // A full buffer empties while we read, so one wait serves both.
    if (!wait_ready(stream.fd(), POLLIN, deadline.at_most(20ms))) continue;
    const auto came = read_now(stream);
    if (came.empty()) stream.check_present();
    back += came;
  }
  SelftestItem item{"loopback", "", name, SelftestGrade::Fail, ""};
  if (back.empty()) {
    item.text = fmt::format("{} bytes written, none came back: is the plug in, and does it join output and input?", written);
  } else if (const auto wrong = std::mismatch(sent.begin(), sent.end(), back.begin(), back.end()); wrong.first != sent.end()) {
    const auto at = wrong.first - sent.begin();
    item.text =
        fmt::format("{} of {} bytes came back, the first wrong one at {}: the line loses or changes bytes", back.size(), sent.size(), at);
  } else if (back.size() > sent.size()) {
    item.text = fmt::format("{} bytes came back of {}: something else speaks on this line", back.size(), sent.size());
  } else {
    item.grade = SelftestGrade::Pass;
    item.text = fmt::format("{} bytes of every value came back as they were", back.size());
  }
  return item;
}

}  // namespace hilcop
