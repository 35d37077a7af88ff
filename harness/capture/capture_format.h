// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/capture_file.h"
#include "capture/capture_reader.h"

namespace hilcop {

/// One kind of capture file: what a CaptureReader has read of it so far.
class CaptureReader::Format {
 public:
  explicit Format(CaptureFile opened) : file(std::move(opened)) {}
  virtual ~Format() = default;
  virtual std::optional<CapturedPacket> next() = 0;

  CaptureFile file;
  std::vector<CaptureInterface> interfaces;
  std::vector<std::optional<CaptureCounts>> counts;
  std::string tls_secrets;
  std::vector<std::string> comments, damage;
  std::uint64_t unknown_blocks = 0, frames = 0;

 protected:
  /// Nothing more is read after it.
  std::nullopt_t ends_at(std::uint64_t offset, const std::string& why) {
    damage.push_back(fmt::format("at byte {}: {}", offset, why));
    over_ = true;
    return std::nullopt;
  }
  bool over_ = false;
};

/// Nothing where the file is of another kind.
std::unique_ptr<CaptureReader::Format> open_pcapng(CaptureFile& file);
std::unique_ptr<CaptureReader::Format> open_pcap(CaptureFile& file);

/// More than that in one piece is no packet, but a file that is something else.
inline constexpr std::uint32_t kMostInOnePiece = 16u << 20;

}  // namespace hilcop
