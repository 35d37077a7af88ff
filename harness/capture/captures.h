// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "capture/packet_recorder.h"

namespace hilcop {

/// The capture that runs from the begin of a bench to its end, where it records.
inline constexpr const char* kMainCapture = "main";

/// What is recorded of one thing, which errors call `object`: several captures, each under a name of its own. Thread-safe; those that are
/// left are stopped when it is destroyed. Throws Error: Busy, NotFound.
class Captures {
 public:
  using Open = std::function<std::unique_ptr<PacketSource>()>;
  explicit Captures(std::string object) : object_(std::move(object)) {}

  /// `source` is listened to from the return on. The file: a new one, a FIFO whose reader is there already, or a ring named after it.
  /// `comment` stands in its head.
  void start(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring, const std::string& comment,
             const Open& source);
  /// As PacketRecorder's.
  PacketRecorderStatus stop(const std::string& name);
  PacketRecorderStatus sync(const std::string& name, Deadline deadline);
  std::map<std::string, PacketRecorderStatus> status();
  /// All are stopped, which stay to be asked for their figures; none is started any more.
  void close();

  void mark(const std::string& text);
  void tls_secrets(const std::string& lines);
  void tls_over(const std::string& client_random);

 private:
  std::shared_ptr<PacketRecorder> find(const std::string& name);

  std::string object_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<PacketRecorder>> recorders_;
  bool closed_ = false;
};

}  // namespace hilcop
