// SPDX-License-Identifier: Apache-2.0
#include "io/host_address.h"

#include <netdb.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <thread>

#include "base/error.h"

namespace hilcop {
namespace {

struct Answer {
  std::string address;
  int failed = 0;
};

Answer look_up(const std::string& host, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* found = nullptr;
  Answer answer;
  answer.failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (answer.failed != 0) return answer;
  char text[NI_MAXHOST] = {};
  ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  answer.address = text;
  return answer;
}

}  // namespace

std::string numeric_host(const std::string& host, const std::string& object, Deadline deadline) {
  auto answer = look_up(host, AI_NUMERICHOST);
  if (answer.failed == 0) return answer.address;
  // getaddrinfo() has no limit of its own and cannot be ended: whoever gives up on it leaves it behind.
  std::packaged_task<Answer()> task([host] { return look_up(host, 0); });
  auto coming = task.get_future();
  std::thread(std::move(task)).detach();
  if (coming.wait_for(deadline.remaining()) != std::future_status::ready)
    throw Error(ErrorKind::Timeout, object, "no name server tells the address of '" + host + "' in time",
                "give its IP address in lab-config, or see to this host's name servers");
  answer = coming.get();
  if (answer.failed != 0)
    throw Error(ErrorKind::NotFound, object, "the host '" + host + "' has no address: " + ::gai_strerror(answer.failed),
                "give its IP address in lab-config");
  return answer.address;
}

}  // namespace hilcop
