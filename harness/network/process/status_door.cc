// SPDX-License-Identifier: Apache-2.0
#include "network/process/status_door.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/paths.h"
#include "io/unix_socket.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds kDoorRests{1};
constexpr std::string_view kDoorBegin = "net-", kDoorEnd = ".door";

json told_or_error(const std::function<json()>& told) {
  try {
    return {{"result", told()}};
  } catch (const Error& error) {
    return {{"error", error.to_json()}};
  } catch (const std::exception& error) {
    return {{"error", Error(ErrorKind::Protocol, "bench network", error.what()).to_json()}};
  }
}

// The process that a door was made by; 0: it is none.
pid_t owner_of_door(const std::string& name) {
  if (!name.starts_with(kDoorBegin) || !name.ends_with(kDoorEnd)) return 0;
  pid_t pid = 0;
  const char* const begin = name.data() + kDoorBegin.size();
  const auto [end, wrong] = std::from_chars(begin, name.data() + name.size(), pid);
  return wrong == std::errc() && pid > 0 && *end == '-' ? pid : 0;
}

// Nothing: nobody listens there, or it is there no more.
std::optional<UniqueFd> reach(const std::filesystem::path& door, Deadline deadline) {
  try {
    return connect_unix(door, deadline);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Disconnected || error.kind() == ErrorKind::NotFound) return std::nullopt;
    throw;
  }
}

bool is_dead(const std::filesystem::path& door) {
  if (::kill(owner_of_door(door.filename().string()), 0) == 0 || errno != ESRCH) return false;  // one that is being made has a living owner
  try {
    return !reach(door, Deadline::in(100ms));  // a network outlives its owner for the moment of its end
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

StatusDoor::StatusDoor(std::filesystem::path path) : path_(std::move(path)), listener_(listen_unix(path_)) {}

StatusDoor::~StatusDoor() { ::unlink(path_.c_str()); }

int StatusDoor::fd() const { return real_clock().now() < rests_until_ ? -1 : listener_.get(); }

void StatusDoor::answer(const std::function<json()>& told) noexcept {
  try {
    const auto visitor = accept_unix(listener_.get());
    if (!visitor || peer_credentials(visitor->get()).uid != ::geteuid()) return;
    auto line = told_or_error(told).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    if (line.size() > kMostTold)
      line =
          json{{"error", Error(ErrorKind::Exhausted, "bench network", "has a status that is too long to be told here").to_json()}}.dump() +
          "\n";
    [[maybe_unused]] const auto n = ::send(visitor->get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } catch (const std::exception&) {
    rests_until_ = real_clock().now() + kDoorRests;  // no descriptors: whoever waits can go on waiting
  }
}

std::filesystem::path new_status_door(int number) {
  return runtime_dir() / fmt::format("{}{}-{}{}", kDoorBegin, ::getpid(), number, kDoorEnd);
}

std::vector<std::filesystem::path> status_doors() {
  std::vector<std::filesystem::path> doors;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(runtime_dir(), none))
    if (owner_of_door(entry.path().filename().string()) != 0) doors.push_back(entry.path());
  std::sort(doors.begin(), doors.end());
  std::erase_if(doors, [](const auto& door) { return is_dead(door) && ::unlink(door.c_str()) == 0; });
  return doors;
}

std::optional<json> ask_at(const std::filesystem::path& door, Deadline deadline) {
  auto reached = reach(door, deadline);
  if (!reached) return std::nullopt;
  const auto object = "network at " + door.string();
  std::optional<json> line;
  try {
    line = JsonLines(std::move(*reached), object).receive(deadline);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Disconnected) return std::nullopt;  // it ended while it was asked
    throw;
  }
  if (!line) throw Error(ErrorKind::Timeout, object, "does not say how it is", "ask again: it may be busy with what its owner asks");
  if (line->is_object() && line->contains("error")) throw Error::from_json(line->at("error"));
  if (!line->is_object() || !line->contains("result")) throw Error(ErrorKind::Protocol, object, "says what is no status");
  return line->at("result");
}

}  // namespace hilcop
