// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace hilcop {

/// A capture whose disk is bounded: a new file begins before one grows beyond file_bytes, or when it is file_time old; the newest `files`
/// are kept. What stood in older ones is gone.
struct CaptureRing {
  static constexpr std::uint64_t kLeastBytes = 256 * 1024, kMostBytes = std::uint64_t{1} << 40;  // a packet has up to 128 KiB
  static constexpr std::size_t kLeastFiles = 2, kMostFiles = 1000;
  static constexpr std::chrono::seconds kLeastTime{1}, kMostTime{7 * 24 * 3600};

  std::uint64_t file_bytes = 0;
  std::size_t files = 0;
  Nanoseconds file_time{};  // 0: only its size counts
};

/// {"file_bytes", "files", "file_s"}; null: no ring. Throws Error{Config} naming `object` where a number is missing or out of range.
std::optional<CaptureRing> capture_ring_from_json(const nlohmann::json& value, const std::string& object);
nlohmann::json to_json(const std::optional<CaptureRing>& ring);

/// "a_00007_20261129104500.pcapng" of "a.pcapng", as dumpcap names them and Wireshark finds what belongs together; UTC. Names of one ring
/// are in the order of its files up to the 99,999th.
std::filesystem::path ring_file(const std::filesystem::path& named_after, std::uint64_t number, UtcTime begins);
/// Those that are there, by name. Throws Error where the folder cannot be read.
std::vector<std::filesystem::path> ring_files(const std::filesystem::path& named_after);

/// What a file of a ring says of itself, in its head, and at its end where the capture goes on in another.
struct RingHead {
  std::string capture;               // the same in all files of one
  std::uint64_t file = 0;            // from 1
  std::uint64_t packets_before = 0;  // in all files before this one, whether they are kept or not
};
std::string to_comment(const RingHead& head);
extern const char* const kRingGoesOn;
/// Of a comment that stands at no packet; nothing where it is none of these.
std::optional<RingHead> ring_head_of(const std::string& comment);
bool says_ring_goes_on(const std::string& comment);

}  // namespace hilcop
