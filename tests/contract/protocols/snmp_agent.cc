// SPDX-License-Identifier: Apache-2.0
#include "contract/protocols/snmp_agent.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <stdexcept>
#include <vector>

namespace hilcop {
namespace {

using Steady = std::chrono::steady_clock;

struct Tlv {
  unsigned char tag = 0;
  std::string value;
};

// BER with lengths below 65536.
Tlv next(std::string& bytes) {
  if (bytes.size() < 2) throw std::runtime_error("torn");
  Tlv tlv{static_cast<unsigned char>(bytes[0]), {}};
  std::size_t length = static_cast<unsigned char>(bytes[1]), head = 2;
  if ((length & 0x80) != 0) {
    const std::size_t more = length & 0x7f;
    length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | static_cast<unsigned char>(bytes.at(head++));
  }
  if (bytes.size() < head + length) throw std::runtime_error("torn");
  tlv.value = bytes.substr(head, length);
  bytes.erase(0, head + length);
  return tlv;
}

std::string tlv(unsigned char tag, const std::string& value) {
  std::string head(1, static_cast<char>(tag));
  if (value.size() >= 128) head += '\x82', head += static_cast<char>(value.size() >> 8);
  return head + static_cast<char>(value.size() & 0xff) + value;
}

std::string integer(int value) { return tlv(2, std::string(1, static_cast<char>(value))); }

// 1.3.6.1.4.1.318.1.1.12.3.3.1.1.4, without the outlet.
const std::string kOutlets = std::string("\x2b\x06\x01\x04\x01\x82\x3e\x01\x01\x0c\x03\x03\x01\x01\x04");
constexpr unsigned char kGet = 0xa0, kResponse = 0xa2, kSet = 0xa3, kNoSuchInstance = 0x81;

}  // namespace

SnmpAgent::SnmpAgent() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), wake_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("no UDP socket on loopback");
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

SnmpAgent::~SnmpAgent() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void SnmpAgent::serve(const std::stop_token& stop) {
  std::array<char, 2048> chunk;
  std::array<pollfd, 2> set{{{socket_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  while (!stop.stop_requested() && ::poll(set.data(), set.size(), -1) > 0) {
    if ((set[0].revents & POLLIN) == 0) continue;
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const auto n = ::recvfrom(socket_.get(), chunk.data(), chunk.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    const Behaviour behaviour = behaviour_;
    if (n <= 0 || behaviour == Behaviour::Mute) continue;
    if (lost_ > 0) {
      --lost_;
      continue;
    }
    std::string reply;
    try {
      reply = answer({chunk.data(), static_cast<std::size_t>(n)});
    } catch (const std::exception&) {
      continue;
    }
    if (behaviour == Behaviour::Late && ::poll(&set[1], 1, 500) != 0) return;
    if (behaviour == Behaviour::Garbage) reply = "\x30\x82\xff\xffgarbage";
    if (behaviour == Behaviour::Truncated) reply.resize(reply.size() / 2);
    if (!reply.empty()) ::sendto(socket_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
  }
}

int SnmpAgent::value_of(std::size_t outlet) {
  if (const auto moving = moving_.find(outlet); moving != moving_.end() && Steady::now() >= moving->second.first) {
    on[outlet] = moving->second.second;
    moving_.erase(moving);
  }
  return on[outlet] ? 1 : 2;
}

std::string SnmpAgent::answer(const std::string& datagram) {
  auto bytes = datagram;
  auto message = next(bytes).value;
  const auto version = next(message), community = next(message);
  auto pdu = next(message);
  if (community.value != "private" || (pdu.tag != kGet && pdu.tag != kSet)) return "";
  const auto request = next(pdu.value);
  next(pdu.value), next(pdu.value);
  auto list = next(pdu.value).value;
  auto binding = next(list).value;
  const auto name = next(binding), value = next(binding);
  int status = 0;
  std::string result = tlv(value.tag, value.value);
  const auto outlet = static_cast<std::size_t>(static_cast<unsigned char>(name.value.back()) - 1);
  if (name.value.size() != kOutlets.size() + 1 || !name.value.starts_with(kOutlets) || outlet >= on.size()) {
    if (pdu.tag == kSet)
      status = 17;
    else
      result = tlv(kNoSuchInstance, "");
  } else if (pdu.tag == kGet) {
    result = integer(value_of(outlet));
  } else if (const Behaviour behaviour = behaviour_; behaviour == Behaviour::Refuses || refusal_ != 0) {
    status = refusal_ != 0 ? refusal_.load() : 5;
  } else if (value.value != "\x01" && value.value != "\x02") {
    status = 10;
  } else if (behaviour != Behaviour::Lies) {
    moving_[outlet] = {Steady::now() + std::chrono::milliseconds(moves_after_ms_), value.value == "\x01"};
    value_of(outlet);
  }
  const auto bindings = tlv(0x30, tlv(0x30, tlv(name.tag, name.value) + result));
  const auto response = tlv(kResponse, tlv(request.tag, request.value) + integer(status) + integer(status == 0 ? 0 : 1) + bindings);
  return tlv(0x30, tlv(version.tag, version.value) + tlv(community.tag, community.value) + response);
}

}  // namespace hilcop
