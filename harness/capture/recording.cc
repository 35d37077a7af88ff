// SPDX-License-Identifier: Apache-2.0
#include "capture/recording.h"

#include <fcntl.h>

#include <cerrno>

#include "base/error.h"

namespace hilcop {

using nlohmann::json;

std::unique_ptr<CaptureFiles> capture_files(const std::filesystem::path& file, const std::optional<CaptureRing>& ring,
                                            const std::string& comment) {
  const std::string program = std::string("hilcop ") + HILCOP_VERSION, object = "capture " + file.string();
  const bool fifo = std::filesystem::is_fifo(file);
  if (fifo && ring) throw Error(ErrorKind::Config, object, "is a pipe, which cannot be a ring of files", "name a file, or ask for no ring");
  if (ring) return std::make_unique<CaptureFiles>(file, *ring, program, comment);
  if (!fifo) return std::make_unique<CaptureFiles>(std::make_unique<PcapngWriter>(file, program, comment), CaptureOnDisk::Files{file});
  // Whose reader is there already, or it is refused; a slow one makes the kernel's ring fill, which is counted.
  UniqueFd pipe(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (!pipe) throw error_from_errno(errno, object, "cannot be written to");
  return std::make_unique<CaptureFiles>(std::make_unique<PcapngWriter>(std::move(pipe), object, program, comment));
}

json figures(const PacketRecorderStatus& status, bool with_paths) {
  json made{{"packets", status.packets},
            {"bytes", status.bytes},
            {"dropped", status.dropped},
            {"snapped", status.snapped},
            {"notes_lost", status.notes_lost},
            {"files_removed", status.files_removed},
            {"packets_removed", status.packets_removed},
            {"secrets_forgotten", status.secrets_forgotten},
            {"begins_ns", to_ns(status.begins)},
            {"begins_utc_ns", status.begins_utc.time_since_epoch().count()},
            {"failure", status.failure ? status.failure->to_json() : json()}};
  if (!with_paths) return made;
  json paths = json::array();
  for (const auto& file : *status.files) paths.push_back(file.string());
  made["files"] = std::move(paths);
  return made;
}

}  // namespace hilcop
