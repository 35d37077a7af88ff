// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_reader.h"

#include "base/error.h"
#include "capture/capture_format.h"

namespace hilcop {

CaptureReader::CaptureReader(const std::filesystem::path& path) {
  CaptureFile file(path);
  format_ = open_pcapng(file);
  if (!format_) format_ = open_pcap(file);
  if (!format_)
    throw Error(ErrorKind::Protocol, file.object(), "is neither a pcapng nor a pcap file",
                "name a capture; a compressed one is to be unpacked before");
}

CaptureReader::~CaptureReader() = default;

std::optional<CapturedPacket> CaptureReader::next() { return format_->next(); }
const std::vector<CaptureInterface>& CaptureReader::interfaces() const { return format_->interfaces; }
const std::vector<std::optional<CaptureCounts>>& CaptureReader::counts() const { return format_->counts; }
const std::string& CaptureReader::tls_secrets() const { return format_->tls_secrets; }
const std::vector<std::string>& CaptureReader::comments() const { return format_->comments; }
const std::vector<std::string>& CaptureReader::damage() const { return format_->damage; }
std::uint64_t CaptureReader::unknown_blocks() const { return format_->unknown_blocks; }

}  // namespace hilcop
