// SPDX-License-Identifier: Apache-2.0
#include "keeper/link.h"

#include <utility>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr auto kQuiet = 1s;

}  // namespace

Link::Link(std::string object, AfterFailure after_failure, Open open, Settle settle)
    : object_(std::move(object)), after_failure_(after_failure), open_(std::move(open)), settle_(std::move(settle)) {}

void Link::open(Deadline deadline) {
  use(deadline, [](Exchange&) {});
}

void Link::use(Deadline deadline, const std::function<void(Exchange&)>& talk) {
  const bool held = stream_ != nullptr;
  try {
    return attempt(deadline, talk);
  } catch (const Error& error) {
    // An instrument that hears nothing for a while drops the connection: that is seen only by using it.
    if (error.kind() != ErrorKind::Disconnected || !held) throw;
    try {
      return attempt(deadline, talk);
    } catch (const Error& again) {
      // What was lost in the middle of a talk is lost: that it cannot be found now says less.
      if (again.kind() == ErrorKind::NotFound) throw Error(error);
      throw;
    }
  }
}

void Link::settle(Deadline deadline) {
  if (after_failure_ == AfterFailure::Settle && quiet_from_ > real_clock().now()) {
    if (quiet_from_ > deadline.at())
      throw Error(ErrorKind::Timeout, object_, "did not answer before, and its late answer may still come",
                  "check its power, its cable and its settings");
    real_clock().sleep_until(quiet_from_);
  }
  exchange_->drop_input();
  settle_(*exchange_, deadline);
}

void Link::attempt(Deadline deadline, const std::function<void(Exchange&)>& talk) {
  try {
    if (!stream_) {
      stream_ = open_(deadline);
      exchange_ = std::make_unique<Exchange>(*stream_, object_);
      settled_ = false;
    }
    // Not settled until all has gone well: whatever is thrown leaves it to the next call.
    if (!std::exchange(settled_, false)) settle(deadline);
    talk(*exchange_);
    settled_ = true;
  } catch (const Error& error) {
    if (after_failure_ == AfterFailure::Reopen || error.kind() == ErrorKind::Disconnected) {
      exchange_.reset();
      stream_.reset();
    }
    quiet_from_ = real_clock().now() + kQuiet;
    if (error.object() == object_) throw;
    throw Error(error.kind(), object_, error.cause(), error.remedy(), error.context());
  }
}

}  // namespace hilcop
