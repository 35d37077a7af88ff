// SPDX-License-Identifier: Apache-2.0
#include "capture/captures.h"

#include "base/error.h"
#include "capture/recording.h"

namespace hilcop {

void Captures::start(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring,
                     const std::string& comment, const Open& source) {
  const std::scoped_lock lock(mutex_);
  if (closed_) throw Error(ErrorKind::Disconnected, object_, "is recorded no more: its bench is closed", "open it again");
  if (recorders_.contains(name))
    throw Error(ErrorKind::Busy, object_, "records a capture '" + name + "' already", "stop it, or choose another name");
  auto opened = source();  // first: where that fails no file is left
  recorders_[name] = std::make_shared<PacketRecorder>(std::move(opened), capture_files(file, ring, comment));
}

std::shared_ptr<PacketRecorder> Captures::find(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = recorders_.find(name); found != recorders_.end()) return found->second;
  throw Error(ErrorKind::NotFound, object_, "records no capture '" + name + "'",
              name == kMainCapture ? "open the bench with a record directory" : "start it first");
}

PacketRecorderStatus Captures::stop(const std::string& name) {
  const auto recorder = find(name);
  const auto status = recorder->stop();
  const std::scoped_lock lock(mutex_);
  if (const auto found = recorders_.find(name); found != recorders_.end() && found->second == recorder) recorders_.erase(found);
  return status;
}

PacketRecorderStatus Captures::sync(const std::string& name, Deadline deadline) {
  const auto recorder = find(name);
  recorder->sync(deadline);
  auto status = recorder->status();
  if (status.failure) throw Error(*status.failure);  // what had passed is not in the file
  return status;
}

std::map<std::string, PacketRecorderStatus> Captures::status() {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, PacketRecorderStatus> all;
  for (const auto& [name, recorder] : recorders_) all[name] = recorder->status();
  return all;
}

void Captures::close() {
  std::map<std::string, std::shared_ptr<PacketRecorder>> all;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    all = recorders_;
  }
  for (const auto& [name, recorder] : all) recorder->stop();
}

void Captures::mark(const std::string& text) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, recorder] : recorders_) recorder->mark(text);
}

void Captures::tls_secrets(const std::string& lines) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, recorder] : recorders_) recorder->tls_secrets(lines);
}

void Captures::tls_over(const std::string& client_random) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, recorder] : recorders_) recorder->tls_over(client_random);
}

}  // namespace hilcop
