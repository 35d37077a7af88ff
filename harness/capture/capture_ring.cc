// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <string_view>

#include "base/error.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::string_view kMark = "hilcop ring ";

// The line of a comment that is ours: what somebody else says of the capture may stand before it.
std::optional<json> ring_line(std::string_view comment) {
  const auto at = comment.rfind(kMark);
  if (at == std::string_view::npos || (at != 0 && comment[at - 1] != '\n')) return std::nullopt;
  const auto line = comment.substr(at + kMark.size());
  auto said = json::parse(line.substr(0, line.find('\n')), nullptr, false);
  if (!said.is_object()) return std::nullopt;
  return said;
}

}  // namespace

const char* const kRingGoesOn = R"(hilcop ring {"goes_on":true})";

std::optional<CaptureRing> capture_ring_from_json(const json& value, const std::string& object) {
  if (value.is_null()) return std::nullopt;
  const auto number = [&](const char* key, double least, double most, const char* what) {
    const auto found = value.is_object() ? value.value(key, json()) : json();
    if (found.is_number() && found.get<double>() >= least && found.get<double>() <= most) return found.get<double>();
    throw Error(ErrorKind::Config, object, fmt::format("a ring of files has no '{}' of {} to {} {}", key, least, most, what),
                "give it file_bytes and files, as 100000000 and 20; file_s may be left out");
  };
  const auto seconds = [](Nanoseconds span) { return std::chrono::duration<double>(span).count(); };
  CaptureRing ring;
  ring.file_bytes = static_cast<std::uint64_t>(number("file_bytes", CaptureRing::kLeastBytes, CaptureRing::kMostBytes, "bytes"));
  ring.files = static_cast<std::size_t>(number("files", CaptureRing::kLeastFiles, CaptureRing::kMostFiles, "files"));
  if (const auto time = value.value("file_s", json()); !time.is_null() && time != 0)
    ring.file_time =
        Nanoseconds(std::llround(1e9 * number("file_s", seconds(CaptureRing::kLeastTime), seconds(CaptureRing::kMostTime), "seconds")));
  return ring;
}

json to_json(const std::optional<CaptureRing>& ring) {
  if (!ring) return nullptr;
  return {{"file_bytes", ring->file_bytes}, {"files", ring->files}, {"file_s", std::chrono::duration<double>(ring->file_time).count()}};
}

std::filesystem::path ring_file(const std::filesystem::path& named_after, std::uint64_t number, UtcTime begins) {
  std::string digits;
  for (const char c : to_iso8601(begins).substr(0, 19))
    if (c >= '0' && c <= '9') digits += c;
  auto file = named_after;
  file.replace_filename(fmt::format("{}_{:05}_{}{}", named_after.stem().string(), number, digits, named_after.extension().string()));
  return file;
}

std::vector<std::filesystem::path> ring_files(const std::filesystem::path& named_after) {
  static const std::regex numbers("_[0-9]{5,}_[0-9]{14}");
  const auto stem = named_after.stem().string(), extension = named_after.extension().string();
  const auto folder = named_after.has_parent_path() ? named_after.parent_path() : std::filesystem::path(".");
  std::vector<std::filesystem::path> found;
  std::error_code wrong;
  for (const auto& entry : std::filesystem::directory_iterator(folder, wrong)) {
    const auto name = entry.path().filename().string();
    if (name.size() < stem.size() + extension.size() || !name.starts_with(stem) || !name.ends_with(extension)) continue;
    const auto middle = name.substr(stem.size(), name.size() - stem.size() - extension.size());
    if (std::regex_match(middle, numbers)) found.push_back(entry.path());
  }
  if (wrong) throw error_from_errno(wrong.value(), "folder " + folder.string(), "cannot be read");
  std::ranges::sort(found);
  return found;
}

std::string to_comment(const RingHead& head) {
  return std::string(kMark) + json{{"capture", head.capture}, {"file", head.file}, {"packets_before", head.packets_before}}.dump();
}

std::optional<RingHead> ring_head_of(const std::string& comment) {
  const auto said = ring_line(comment);
  if (!said) return std::nullopt;
  const auto capture = said->value("capture", json()), file = said->value("file", json()), before = said->value("packets_before", json());
  if (!capture.is_string() || !file.is_number_unsigned() || !before.is_number_unsigned()) return std::nullopt;
  return RingHead{capture, file, before};
}

bool says_ring_goes_on(const std::string& comment) {
  const auto said = ring_line(comment);
  return said && said->value("goes_on", json()) == true;
}

}  // namespace hilcop
