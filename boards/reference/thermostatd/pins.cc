// SPDX-License-Identifier: Apache-2.0
#include "pins.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fstream>

#include "error.h"
#include "files.h"
#include "steady.h"

namespace ht1 {
namespace {

constexpr int kLookEveryMs = 50;

}  // namespace

bool HeldButton::sees(bool pressed, double now) {
  if (!pressed) {
    since_.reset();
    told_ = false;
    return false;
  }
  if (!since_) since_ = now;
  if (told_ || now - *since_ < hold_s_) return false;
  return told_ = true;
}

Pins::Pins(std::filesystem::path folder, double hold_s, std::function<void()> held)
    : folder_(std::move(folder)), button_(hold_s), held_(std::move(held)) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure("pins: no pipe to be stopped with; are there file descriptors left?");
  stop_read_ = Fd(ends[0]), stop_write_ = Fd(ends[1]);
}

Pins::~Pins() {
  stop_write_ = Fd();  // the other end sees that
  if (thread_.joinable()) thread_.join();
}

void Pins::start() {
  if (!folder_.empty()) thread_ = std::thread([this] { watch(); });
}

bool Pins::pressed() const { return read_if_there(folder_ / "button" / "value").value_or("0").starts_with('1'); }

void Pins::watch() {
  pollfd stop{stop_read_.get(), POLLIN, 0};
  while (::poll(&stop, 1, kLookEveryMs) == 0)
    if (button_.sees(pressed(), steady_s())) held_();
}

void Pins::led(bool on) {
  const std::lock_guard lock(mutex_);
  if (folder_.empty() || led_ == on) return;
  std::ofstream file(folder_ / "led" / "value");
  file << (on ? "1\n" : "0\n") << std::flush;
  if (file) led_ = on;  // else it is tried again in a second: heating matters more than its lamp
}

}  // namespace ht1
