// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace hilcop {
namespace {

// Small files are read in small pieces, large ones soon in large ones.
constexpr std::size_t kFirstPiece = 16u << 10, kLargestPiece = 1u << 20;

}  // namespace

CaptureFile::CaptureFile(const std::filesystem::path& file)
    : object_("capture " + file.string()), piece_(kFirstPiece), fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (!fd_) throw error_from_errno(errno, object_, "cannot be read");
  // Nobody could say how long a pipe or a terminal takes to its end.
  struct stat about {};
  if (::fstat(fd_.get(), &about) != 0) throw error_from_errno(errno, object_, "cannot be read");
  if (!S_ISREG(about.st_mode)) throw Error(ErrorKind::Config, object_, "is no regular file", "write the capture into a file first");
}

std::span<const std::byte> CaptureFile::peek(std::size_t count) {
  if (end_ - begin_ < count) {
    const auto first = buffer_.begin();
    std::copy(first + static_cast<std::ptrdiff_t>(begin_), first + static_cast<std::ptrdiff_t>(end_), first);
    end_ -= begin_, begin_ = 0;
    // As far as the file goes, whatever a length in it says.
    while (end_ < count) {
      if (buffer_.size() < end_ + piece_) buffer_.resize(end_ + piece_);
      const auto n = ::read(fd_.get(), buffer_.data() + end_, piece_);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw error_from_errno(errno, object_, "cannot be read");
      if (n == 0) break;
      end_ += static_cast<std::size_t>(n);
      piece_ = std::min(2 * piece_, kLargestPiece);
    }
  }
  return std::span(buffer_).subspan(begin_, std::min(count, end_ - begin_));
}

void CaptureFile::skip(std::size_t count) {
  begin_ += count;
  offset_ += count;
}

}  // namespace hilcop
