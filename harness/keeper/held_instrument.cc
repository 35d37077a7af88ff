// SPDX-License-Identifier: Apache-2.0
#include "keeper/held_instrument.h"

#include <utility>

namespace hilcop {

HeldInstrument::HeldInstrument(const Driver& driver, InstrumentConfig config, InstrumentEvent event)
    : config_(std::move(config)), thread_([this, &driver, event = std::move(event)] { work(driver, event); }) {}

HeldInstrument::~HeldInstrument() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void HeldInstrument::post(Job job, bool urgent, SteadyTime not_before) {
  {
    const std::scoped_lock lock(mutex_);
    (urgent ? urgent_ : normal_).push_back({std::move(job), not_before});
  }
  changed_.notify_all();
}

bool HeldInstrument::next(Entry& entry) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !urgent_.empty() || !normal_.empty(); });
  auto& queue = urgent_.empty() ? normal_ : urgent_;
  if (queue.empty()) return false;
  entry = std::move(queue.front());
  queue.pop_front();
  return true;
}

void HeldInstrument::work(const Driver& driver, const InstrumentEvent& event) {
  std::unique_ptr<Instrument> instrument;
  std::unique_ptr<Error> failure;
  try {
    instrument = driver.open(config_, event);
  } catch (const Error& error) {
    failure = std::make_unique<Error>(error);
  } catch (const std::exception& error) {
    failure = std::make_unique<Error>(ErrorKind::Protocol, "instrument '" + config_.name + "'", error.what());
  }
  failed_ = failure != nullptr;
  for (Entry entry; next(entry); entry = {}) {
    if (entry.not_before > real_clock().now()) real_clock().sleep_until(entry.not_before);
    entry.job(instrument.get(), failure.get());
  }
}

}  // namespace hilcop
