// SPDX-License-Identifier: Apache-2.0
// A disk that the bench can reach: all of it is checked before the first byte is written, and all of it is read back from the medium.
#include <algorithm>
#include <cstring>

#include "evidence/sha256.h"
#include "flash/output_file.h"
#include "flash/route.h"

namespace hilcop {
namespace {

constexpr std::size_t kDiskPiece = 1u << 20;

/// The DUT's disk while the host has it; given back also when something fails.
class Attached {
 public:
  explicit Attached(const FlashJob& job) : storage_(job.dut.storage(job.part.config.at("name"))), device_(attach(job)) {}
  ~Attached() {
    if (!device_) return;
    try {
      release();
    } catch (const std::exception&) {
      // What failed before it is what is told; closing the bench brings a mux to its safe state.
    }
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  BlockDevice& device() { return *device_; }
  void release() {
    device_.reset();
    storage_.detach(Deadline::in(10s));
  }

 private:
  std::unique_ptr<BlockDevice> attach(const FlashJob& job) {
    try {
      return storage_.attach(job.deadline);
    } catch (...) {
      try {
        storage_.detach(Deadline::in(10s));
      } catch (const std::exception&) {
        // As in the destructor.
      }
      throw;
    }
  }

  Storage& storage_;
  std::unique_ptr<BlockDevice> device_;
};

std::uint64_t offset_of(const FlashJob& job, const BlockDevice& device) {
  const std::uint64_t offset = job.part.config.at("offset_bytes").get<std::uint64_t>();
  if (offset % device.block_size() != 0)
    throw Error(ErrorKind::Config, job.object, "`offset_bytes:` " + std::to_string(offset) + " is no multiple of its block size",
                "choose a multiple of " + std::to_string(device.block_size()));
  if (offset >= device.size())
    throw Error(ErrorKind::Config, job.object, "`offset_bytes:` " + std::to_string(offset) + " lies behind the end of " + device.name(),
                "mend it in the board file");
  return offset;
}

/// How many bytes the image stands for. A packed one is unpacked for it, so that a damaged one is found before anything is written.
std::uint64_t image_size(const FlashJob& job, const BlockDevice& device, std::uint64_t room) {
  const auto extension = job.file.extension();
  std::uint64_t size = 0;
  if (extension != ".gz" && extension != ".xz") {
    size = std::filesystem::file_size(job.file);
  } else {
    const auto image = ImageFile::open(job.file);
    const AlignedBuffer buffer(kDiskPiece);
    for (std::size_t n = kDiskPiece; n == kDiskPiece && size <= room; size += n) {
      n = image->read(buffer.bytes());
      job.step("unpack", size + n, 0);
    }
  }
  if (size == 0) throw Error(ErrorKind::Config, job.object, "image " + job.file.string() + " is empty", "build it again");
  if (size > room)
    throw Error(ErrorKind::Config, job.object,
                "image " + job.file.string() + " has " + (extension == ".gz" || extension == ".xz" ? "at least " : "") +
                    std::to_string(size) + " bytes, and there is room for " + std::to_string(room) + " on " + device.name(),
                "choose a smaller image or a larger medium; nothing was written");
  return size;
}

std::size_t whole_blocks(std::size_t bytes, std::size_t block) { return (bytes + block - 1) / block * block; }

template <typename Action>
void said_how_far(const char* what, std::uint64_t done, std::uint64_t total, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    throw error.while_doing(std::to_string(done) + " of " + std::to_string(total) + " bytes had been " + what);
  }
}

/// Returns the SHA-256 of what was written.
std::string write(const FlashJob& job, BlockDevice& device, std::uint64_t offset, std::uint64_t total) {
  const auto image = ImageFile::open(job.file);
  const AlignedBuffer buffer(kDiskPiece);
  Sha256 hash;
  for (std::uint64_t done = 0; done < total;) {
    job.step("write", done, total);
    const auto want = buffer.bytes().first(static_cast<std::size_t>(std::min<std::uint64_t>(kDiskPiece, total - done)));
    if (image->read(want) != want.size())
      throw Error(ErrorKind::Protocol, job.object, "the image became shorter while it was written", "leave it alone meanwhile");
    hash.add(want);
    const std::size_t rounded = whole_blocks(want.size(), device.block_size());
    if (rounded != want.size()) {
      // What the last block holds behind the image stays.
      const AlignedBuffer last(device.block_size());
      const std::size_t begin = rounded - device.block_size();
      device.read_at(offset + done + begin, last.bytes());
      std::memcpy(buffer.bytes().data() + want.size(), last.bytes().data() + (want.size() - begin), rounded - want.size());
    }
    said_how_far("written", done, total, [&] { device.write_at(offset + done, buffer.bytes().first(rounded)); });
    done += want.size();
  }
  said_how_far("written", total, total, [&] { device.sync(); });
  job.step("write", total, total);
  return hash.hex();
}

void compare(const FlashJob& job, BlockDevice& device, std::uint64_t offset, std::uint64_t total, const std::string& written) {
  const auto image = ImageFile::open(job.file);
  const AlignedBuffer expected(kDiskPiece), found(kDiskPiece);
  Sha256 hash;
  for (std::uint64_t done = 0; done < total;) {
    job.step("verify", done, total);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kDiskPiece, total - done));
    device.read_at(offset + done, found.bytes().first(whole_blocks(size, device.block_size())));
    const auto want = expected.bytes().first(size), got = found.bytes().first(size);
    if (image->read(want) != size)
      throw Error(ErrorKind::Protocol, job.object, "the image became shorter while it was verified", "leave it alone meanwhile");
    if (const auto [at, other] = std::mismatch(want.begin(), want.end(), got.begin()); at != want.end())
      throw job.differs(done + static_cast<std::uint64_t>(at - want.begin()), "read back from " + device.name());
    hash.add(got);
    done += size;
  }
  job.step("verify", total, total);
  // Equal to the image of now; it must also be the one that was written.
  if (hash.hex() != written)
    throw Error(ErrorKind::Protocol, job.object, "the image changed between writing and verifying", "leave it alone meanwhile");
}

/// Reads it all, into `out` if given; its SHA-256.
std::string read_all(const FlashJob& job, BlockDevice& device, std::uint64_t offset, std::uint64_t total, const char* phase,
                     OutputFile* out) {
  const AlignedBuffer buffer(kDiskPiece);
  Sha256 hash;
  for (std::uint64_t done = 0; done < total;) {
    job.step(phase, done, total);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kDiskPiece, total - done));
    said_how_far("read", done, total,
                 [&] { device.read_at(offset + done, buffer.bytes().first(whole_blocks(size, device.block_size()))); });
    hash.add(buffer.bytes().first(size));
    if (out != nullptr) out->write(buffer.bytes().first(size));
    done += size;
  }
  job.step(phase, total, total);
  return hash.hex();
}

}  // namespace

FlashDone flash_by_storage(const FlashJob& job) {
  Attached disk(job);
  auto& device = disk.device();
  const auto offset = offset_of(job, device);
  FlashDone done;
  done.bytes = image_size(job, device, device.size() - offset);
  done.sha256 = write(job, device, offset, done.bytes);
  if (job.part.verify) {
    compare(job, device, offset, done.bytes, done.sha256);
    done.verified_by = "read back, SHA-256";
  } else {
    done.unverified_why = kVerifyOff;
  }
  disk.release();
  return done;
}

FlashDone dump_by_storage(const FlashJob& job) {
  Attached disk(job);
  auto& device = disk.device();
  const auto offset = offset_of(job, device);
  const auto& length = job.part.config.at("length_bytes");
  FlashDone done;
  done.bytes = length.is_null() ? device.size() - offset : length.get<std::uint64_t>();
  if (done.bytes > device.size() - offset)
    throw Error(ErrorKind::Config, job.object, "`length_bytes:` goes beyond the end of " + device.name(), "mend it in the board file");
  OutputFile out(job.file);
  out.reserve(done.bytes);
  device.sync();
  done.sha256 = read_all(job, device, offset, done.bytes, "read", &out);
  if (!job.part.verify) {
    done.unverified_why = kVerifyOff;
  } else {
    device.sync();
    if (read_all(job, device, offset, done.bytes, "verify", nullptr) != done.sha256)
      throw Error(ErrorKind::Protocol, job.object, "two reads of " + device.name() + " differ",
                  "see whether something writes to it, or it is worn out");
    done.verified_by = "second read, SHA-256";
  }
  out.finish();
  disk.release();
  return done;
}

}  // namespace hilcop
