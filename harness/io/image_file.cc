// SPDX-License-Identifier: Apache-2.0
#include "io/image_file.h"

#include <fcntl.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <string>

#include "base/error.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

constexpr std::uint64_t kDecoderMemory = 256u << 20;  // xz -9 needs 65 MiB

Error damaged(const std::string& object, const std::string& how) {
  return {ErrorKind::Protocol, object, how, "build or fetch the image again"};
}

class PlainFile final : public ImageFile {
 public:
  explicit PlainFile(const std::filesystem::path& path)
      : object_("image " + path.string()), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat info {};
    if (!fd_ || ::fstat(fd_.get(), &info) != 0) throw error_from_errno(errno, object_, "read");
    if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::Config, object_, "is no file", "name an image");
  }
  std::size_t read(std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto n = ::read(fd_.get(), into.data() + done, into.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw error_from_errno(errno, object_, "read");
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }
  const std::string& object() const { return object_; }

 private:
  std::string object_;
  UniqueFd fd_;
};

/// What both decoders do: feed the compressed file in pieces until the output is full or the stream has ended.
class PackedFile : public ImageFile {
 public:
  explicit PackedFile(const std::filesystem::path& path) : file_(path) {}

 protected:
  /// The next piece; empty at the end of the file.
  std::span<std::byte> refill() { return std::span(piece_).first(file_.read(piece_)); }
  const std::string& object() const { return file_.object(); }

 private:
  PlainFile file_;
  std::array<std::byte, 65536> piece_;
};

class XzFile final : public PackedFile {
 public:
  explicit XzFile(const std::filesystem::path& path) : PackedFile(path) {
    if (::lzma_stream_decoder(&stream_, kDecoderMemory, LZMA_CONCATENATED) != LZMA_OK)
      throw Error(ErrorKind::Exhausted, object(), "no memory to unpack it");
  }
  ~XzFile() override { ::lzma_end(&stream_); }
  std::size_t read(std::span<std::byte> into) override {
    stream_.next_out = reinterpret_cast<std::uint8_t*>(into.data());
    stream_.avail_out = into.size();
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0 && !all_fed_) {
        const auto more = refill();
        all_fed_ = more.empty();
        stream_.next_in = reinterpret_cast<const std::uint8_t*>(more.data());
        stream_.avail_in = more.size();
      }
      const auto status = ::lzma_code(&stream_, all_fed_ ? LZMA_FINISH : LZMA_RUN);
      ended_ = status == LZMA_STREAM_END;
      if (status == LZMA_MEMLIMIT_ERROR) throw damaged(object(), "needs more than 256 MiB of memory to unpack");
      if (status == LZMA_BUF_ERROR) throw damaged(object(), "is cut off");
      if (status != LZMA_OK && !ended_) throw damaged(object(), "is no sound .xz file");
    }
    return into.size() - stream_.avail_out;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool all_fed_ = false, ended_ = false;
};

class GzipFile final : public PackedFile {
 public:
  explicit GzipFile(const std::filesystem::path& path) : PackedFile(path) {
    constexpr int gzip_only = 15 + 16;
    if (::inflateInit2(&stream_, gzip_only) != Z_OK) throw Error(ErrorKind::Exhausted, object(), "no memory to unpack it");
  }
  ~GzipFile() override { ::inflateEnd(&stream_); }
  std::size_t read(std::span<std::byte> into) override {
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out > 0) {
      if (stream_.avail_in == 0) {
        const auto more = refill();
        stream_.next_in = reinterpret_cast<Bytef*>(more.data());
        stream_.avail_in = static_cast<uInt>(more.size());
        if (more.empty() && !between_) throw damaged(object(), "is cut off");
        if (more.empty()) break;
      }
      // RFC 1952, 2.2: members simply follow one another.
      if (between_ && ::inflateReset(&stream_) != Z_OK) throw damaged(object(), "is no sound .gz file");
      between_ = false;
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END)
        between_ = true;
      else if (status != Z_OK && status != Z_BUF_ERROR)
        throw damaged(object(), std::string("is no sound .gz file: ") + (stream_.msg != nullptr ? stream_.msg : "inflate failed"));
    }
    return into.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool between_ = false;  // after a member: the file may end here
};

void refuse_android_sparse(const std::filesystem::path& path) {
  PlainFile file(path);
  std::array<std::byte, 4> magic{};
  constexpr std::array sparse{std::byte{0x3a}, std::byte{0xff}, std::byte{0x26}, std::byte{0xed}};  // AOSP sparse_format.h, little-endian
  if (file.read(magic) == magic.size() && magic == sparse)
    throw Error(ErrorKind::Config, file.object(), "is in Android's sparse format, which no medium holds",
                "make a plain image of it: simg2img IN OUT");
}

}  // namespace

std::unique_ptr<ImageFile> ImageFile::open(const std::filesystem::path& path) {
  if (path.extension() == ".xz") return std::make_unique<XzFile>(path);
  if (path.extension() == ".gz") return std::make_unique<GzipFile>(path);
  refuse_android_sparse(path);
  return std::make_unique<PlainFile>(path);
}

std::unique_ptr<ImageFile> ImageFile::open_as_it_is(const std::filesystem::path& path) { return std::make_unique<PlainFile>(path); }

std::uint32_t crc32_of(std::uint32_t before, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(::crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace hilcop
