// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "capture/pcapng_blocks.h"

namespace hilcop {

using namespace pcapng;

namespace {

constexpr std::size_t kMostOfAnOption = 65'000;  // its length has 16 bits
constexpr int kLookMs = 100;                     // how often it is seen whether a reader is still waited for

UniqueFd made(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) throw error_from_errno(errno, "capture " + file.string(), "cannot be made");
  return fd;
}

// The lowest byte first, as our files are on every host.
void put_little(std::uint64_t value, char* to, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

std::uint32_t little(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

std::string_view view(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

PcapngWriter::PcapngWriter(const std::filesystem::path& file, const std::string& program, const std::string& comment)
    : PcapngWriter(made(file), "capture " + file.string(), program, comment) {}

PcapngWriter::PcapngWriter(UniqueFd out, std::string object, const std::string& program, const std::string& comment)
    : out_(std::move(out)), object_(std::move(object)) {
  head(program, comment);
}

PcapngWriter::~PcapngWriter() { flush(); }

void PcapngWriter::head(const std::string& program, const std::string& comment) {
  begin(kSection);
  number(kByteOrder, 4);
  number(1, 2);
  number(0, 2);
  number(~std::uint64_t{0}, 8);  // as long as it will be
  if (!comment.empty()) option(kComment, comment);
  option(kSectionProgram, program);
  options_end();
  end();
}

std::uint32_t PcapngWriter::add_interface(const std::string& name, LinkType type, std::uint32_t snap_length) {
  begin(kInterface);
  number(static_cast<std::uint16_t>(type), 2);
  number(0, 2);
  number(snap_length, 4);
  option(kInterfaceName, name);
  option(kInterfaceResolution, "\x09");  // 10^-9 s
  options_end();
  end();
  return interfaces_++;
}

void PcapngWriter::packet(std::uint32_t interface, const Packet& packet) {
  const auto ns = static_cast<std::uint64_t>(packet.at.time_since_epoch().count());
  block_ = buffer_.size();
  // Its head in one piece: half of what a small packet costs is to put it together.
  const std::uint64_t head[] = {
      kPacket, 0, interface, ns >> 32, ns, packet.bytes.size(), std::max<std::uint64_t>(packet.length, packet.bytes.size())};
  std::array<char, 4 * std::size(head)> bytes;
  for (std::size_t i = 0; i < std::size(head); ++i) put_little(head[i], &bytes[4 * i], 4);
  buffer_.append(bytes.data(), bytes.size());
  padded(view(packet.bytes));
  const bool commented = !marks_.empty() || !packet.comment.empty();
  if (!marks_.empty()) option(kComment, take_marks());
  if (!packet.comment.empty()) option(kComment, packet.comment);
  if (commented) options_end();
  if (!failure_) ++packets_;
  end();
}

std::size_t PcapngWriter::size_of(const Packet& packet) const {
  constexpr std::size_t kAround = 60;  // its head and tail, two comments' heads and the end of options, with what fills them up
  return kAround + packet.bytes.size() + marks_.size() + packet.comment.size();
}

bool PcapngWriter::mark(const std::string& text) {
  if (marks_.size() + text.size() >= kMostOfAnOption) return false;
  if (!marks_.empty()) marks_ += '\n';
  marks_ += text;
  return true;
}

void PcapngWriter::tls_secrets(std::string_view lines) {
  if (lines.empty()) return;
  begin(kSecrets);
  number(kTlsKeyLog, 4);
  number(lines.size(), 4);
  padded(lines);
  end();
}

void PcapngWriter::statistics(std::uint32_t interface, CaptureCounts counts, UtcTime at, const std::string& comment) {
  const auto ns = static_cast<std::uint64_t>(at.time_since_epoch().count());
  begin(kStatistics);
  number(interface, 4);
  number(ns >> 32, 4);
  number(ns & 0xffffffff, 4);
  if (!marks_.empty()) option(kComment, take_marks());
  if (!comment.empty()) option(kComment, comment);
  for (const auto& [code, value] : {std::pair{kStatisticsReceived, counts.received}, {kStatisticsDropped, counts.dropped}}) {
    number(code, 2);
    number(8, 2);
    number(value, 8);
  }
  options_end();
  end();
}

void PcapngWriter::begin(std::uint32_t type) {
  block_ = buffer_.size();
  number(type, 4);
  number(0, 4);  // its length, when it is known
}

void PcapngWriter::end() {
  const std::uint64_t length = buffer_.size() - block_ + 4;
  number(length, 4);
  put_little(length, &buffer_[block_ + 4], 4);
  if (failure_) buffer_.resize(block_);
  if (buffer_.size() >= kBuffer) write_out();
}

void PcapngWriter::number(std::uint64_t value, int bytes) {
  std::array<char, 8> little;
  put_little(value, little.data(), little.size());
  buffer_.append(little.data(), static_cast<std::size_t>(bytes));
}

void PcapngWriter::padded(std::string_view bytes) {
  buffer_ += bytes;
  buffer_.append((4 - (buffer_.size() - block_) % 4) % 4, '\0');
}

void PcapngWriter::option(std::uint16_t code, std::string_view value) {
  value = value.substr(0, kMostOfAnOption);
  number(code, 2);
  number(value.size(), 2);
  padded(value);
}

void PcapngWriter::options_end() { number(kOptionsEnd, 4); }

void PcapngWriter::flush(bool sync) {
  write_out();
  if (sync && !failure_ && ::fdatasync(out_.get()) != 0 && errno != EINVAL && errno != EROFS)  // a pipe cannot
    failure_ = error_from_errno(errno, object_, "cannot be written to the disk");
}

void PcapngWriter::write_out() {
  std::string_view rest = buffer_;
  while (!rest.empty() && !failure_) {
    const auto n = ::write(out_.get(), rest.data(), rest.size());
    if (n < 0 && (errno == EINTR || (errno == EAGAIN && reader_came()))) continue;
    if (n < 0 && !failure_) failure_ = error_from_errno(errno, object_, "cannot be written");
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n)), written_ += static_cast<std::uint64_t>(n);
  }
  if (failure_) keep_whole_blocks(buffer_.size() - rest.size());
  packets_written_ = packets_;
  buffer_.clear();
}

// False: it did not, for as long as it is waited for; failure_ says so.
bool PcapngWriter::reader_came() {
  for (pollfd writable{out_.get(), POLLOUT, 0};;) {
    if (::poll(&writable, 1, kLookMs) > 0) return true;
    if (to_ns(real_clock().now()) < give_up_ns_) continue;
    failure_ = Error(ErrorKind::Timeout, object_, "is not read", "see what its reader waits for, or write the capture into a file");
    return false;
  }
}

// Of what is in the buffer so many bytes were written before it failed: a block that is torn is taken back, and what is lost not counted.
void PcapngWriter::keep_whole_blocks(std::size_t put) {
  std::size_t whole = 0;
  packets_ = packets_written_;
  while (whole + 8 <= put) {
    const auto length = little(buffer_, whole + 4);
    if (whole + length > put) break;
    if (little(buffer_, whole) == kPacket) ++packets_;
    whole += length;
  }
  written_ -= put - whole;
  [[maybe_unused]] const auto cut = ::ftruncate(out_.get(), static_cast<off_t>(written_));  // a pipe cannot
}

}  // namespace hilcop
