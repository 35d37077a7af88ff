// SPDX-License-Identifier: Apache-2.0
// U-Boot's command line: loads an image into memory, writes it by the board's own commands, and has U-Boot's checksum prove it.
#include <unistd.h>

#include <array>

#include <fmt/format.h>

#include "evidence/sha256.h"
#include "flash/output_file.h"
#include "flash/route.h"
#include "flash/uboot_shell.h"
#include "flash/xymodem.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr std::size_t kSumPiece = 1u << 16;

struct Sums {
  std::string crc32, sha256;
  const std::string& of(const std::string& kind) const { return kind == "crc32" ? crc32 : sha256; }
};

/// Both checksums of what comes in pieces.
class Summing {
 public:
  void add(std::span<const std::byte> bytes) {
    crc_ = crc32_of(crc_, bytes);
    hash_.add(bytes);
  }
  Sums sums() { return {fmt::format("{:08x}", crc_), hash_.hex()}; }

 private:
  std::uint32_t crc_ = 0;
  Sha256 hash_;
};

Sums sums_of(const std::filesystem::path& path) {
  const auto file = ImageFile::open_as_it_is(path);
  std::vector<std::byte> piece(kSumPiece);
  Summing summing;
  for (std::size_t n = file->read(piece); n > 0; n = file->read(piece)) summing.add(std::span(piece).first(n));
  return summing.sums();
}

Sums sums_of_fill(std::byte fill, std::uint64_t bytes) {
  const std::vector<std::byte> piece(kSumPiece, fill);
  Summing summing;
  for (std::uint64_t left = bytes; left > 0; left -= std::min<std::uint64_t>(left, kSumPiece))
    summing.add(std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, kSumPiece))));
  return summing.sums();
}

/// The image, where tftpd serves it, for as long as this lives.
class TftpCopy {
 public:
  explicit TftpCopy(const FlashJob& job)
      : name_(fmt::format("hilcop-{}-{}.img", job.values.at("dut"), ::getpid())),
        path_(std::filesystem::path(job.values.at("tftp_dir")) / name_) {
    std::error_code failed;
    std::filesystem::copy_file(job.file, path_, std::filesystem::copy_options::overwrite_existing, failed);
    if (failed)
      throw Error(ErrorKind::Config, job.object,
                  "the image cannot be put into {tftp_dir} " + path_.parent_path().string() + ": " + failed.message(),
                  "give this user the right to write there, or mend `flash_values:` in lab-config");
    std::filesystem::permissions(path_, std::filesystem::perms(0644), failed);
  }
  ~TftpCopy() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TftpCopy(const TftpCopy&) = delete;
  TftpCopy& operator=(const TftpCopy&) = delete;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::filesystem::path path_;
};

class Uboot {
 public:
  explicit Uboot(FlashJob job)
      : job_(std::move(job)),
        config_(job_.part.config),
        console_(job_.dut.console(config_.at("console"))),
        shell_(console_, config_.at("prompt"), job_.object) {}

  FlashDone flash() {
    bytes_ = std::filesystem::file_size(job_.file);
    const auto sums = sums_of(job_.file);
    wanted_ = sums.of(checksum());
    start();
    spoil();  // so that what is found there came now, and not with an earlier load
    load();
    expect_sum(wanted_, "after it was loaded into memory");
    FlashDone done{bytes_, sums.sha256, "", ""};
    commands("write");
    if (!job_.part.verify) {
      done.unverified_why = kVerifyOff;
    } else if (config_.at("write").empty()) {
      done.verified_by = checksum() + " by U-Boot, in memory";
    } else if (config_.at("read").empty()) {
      done.unverified_why = "the board file says no `read:` for it";
    } else {
      spoil();
      commands("read");
      expect_sum(wanted_, "read back");
      done.verified_by = checksum() + " by U-Boot, read back";
    }
    return done;
  }

  FlashDone dump() {
    bytes_ = config_.at("length_bytes").get<std::uint64_t>();
    OutputFile out(job_.file);
    out.reserve(bytes_);
    start();
    if (!config_.at("read").empty()) {
      wanted_.clear();
      if (job_.part.verify) spoil();
      commands("read");
    }
    const auto sum = job_.part.verify ? checksum_now() : "";
    const auto sums = fetch(out);
    if (job_.part.verify && sums.of(checksum()) != sum)
      throw Error(ErrorKind::Protocol, job_.object,
                  fmt::format("what came has {} {}, and U-Boot says {}", checksum(), sums.of(checksum()), sum),
                  "see whether something changes it meanwhile");
    out.finish();
    if (!job_.part.verify) return {bytes_, sums.sha256, "", kVerifyOff};
    return {bytes_, sums.sha256, checksum() + " by U-Boot", ""};
  }

 private:
  std::string checksum() const { return config_.at("checksum"); }

  void start() {
    const auto block = config_.at("block_bytes").get<std::uint64_t>();
    job_.values["address"] = fmt::format("0x{:x}", config_.at("address").get<std::uint64_t>());
    job_.values["bytes"] = fmt::format("0x{:x}", bytes_);
    job_.values["blocks"] = fmt::format("0x{:x}", (bytes_ + block - 1) / block);
    shell_.reach(config_.at("interrupt"), job_.deadline.at_most(60s));
    commands("setup");
  }

  void commands(const char* key) {
    for (const auto& command : job_.filled(config_.at(key))) {
      job_.step(key, 0, bytes_);
      shell_.run(command, job_.deadline);
    }
  }

  // Both `crc32` and `hash` end with "==> SUM".
  std::string checksum_now() {
    const auto said = shell_.run(fill_in(checksum() == "crc32" ? "crc32 {address} {bytes}" : "hash sha256 {address} {bytes}", job_.values),
                                 job_.deadline);
    const auto arrow = said.find("==> ");
    const auto sum =
        arrow == std::string::npos ? "" : said.substr(arrow + 4, said.find_first_not_of("0123456789abcdef", arrow + 4) - arrow - 4);
    if (sum.size() != (checksum() == "crc32" ? 8u : 64u))
      throw Error(ErrorKind::Protocol, job_.object, "U-Boot's checksum command said no checksum",
                  "choose another `checksum:` in the board file", {"it said:\n  | " + said});
    return sum;
  }

  void expect_sum(const std::string& wanted, const std::string& when) {
    const auto found = checksum_now();
    if (found != wanted)
      throw Error(ErrorKind::Protocol, job_.object,
                  fmt::format("{}: U-Boot reckons {} {}, and the image has {}", when, checksum(), found, wanted),
                  "see the console; check the commands of the board file");
  }

  // Memory keeps what an earlier load or the write left there: a read that does nothing must not look like a good one.
  void spoil() {
    for (const auto fill : {std::byte{0xa5}, std::byte{0x5a}}) {
      const auto sum = sums_of_fill(fill, bytes_).of(checksum());
      if (sum == wanted_) continue;
      shell_.run(fmt::format("mw.b {} 0x{:02x} {}", job_.values["address"], static_cast<unsigned>(fill), job_.values["bytes"]),
                 job_.deadline);
      return expect_sum(sum, "after its memory was filled to see what comes next");
    }
  }

  void load() {
    const std::string way = config_.at("load");
    job_.step("load", 0, bytes_);
    if (way == "tftp") {
      const TftpCopy copy(job_);
      job_.values["tftp_file"] = copy.name();
      shell_.run(fill_in("tftpboot {address} {tftp_file}", job_.values), job_.deadline);
      return job_.step("load", bytes_, bytes_);
    }
    const auto content = ImageFile::open_as_it_is(job_.file);
    shell_.begin(fill_in(way == "ymodem" ? "loady {address}" : "loadx {address}", job_.values), job_.deadline);
    // "## Ready for binary (ymodem) download to 0x4C000000 at 115200 bps...": the 'C' of an address asks for nothing.
    const std::array ready{Pattern::literal("bps..."), Pattern::literal("Unknown command")};
    if (console_.expect(ready, job_.deadline.at_most(10s)).pattern == 1) {
      shell_.end(job_.deadline.at_most(10s));
      throw Error(ErrorKind::Unsupported, job_.object, "this U-Boot has no command for " + way, "choose another `load:` in the board file");
    }
    send_file(console_, way == "ymodem" ? ModemProtocol::Ymodem : ModemProtocol::Xmodem, {job_.file.filename().string(), bytes_, *content},
              job_.deadline, [this](std::uint64_t done) { job_.step("load", done, bytes_); });
    shell_.end(job_.deadline.at_most(30s));
  }

  // md.b: "40200000: 83 ad 4a 68 9c c6 7e 85 46 8d da 39 9b 36 ed 43  ..Jh..~.F..9.6.C"
  std::string memory(std::uint64_t address, std::uint64_t bytes) {
    const auto said = shell_.run(fmt::format("md.b 0x{:x} 0x{:x}", address, bytes), job_.deadline);
    std::string content;
    std::size_t begin = 0;
    while (begin < said.size()) {
      const auto end = std::min(said.find('\n', begin), said.size());
      const std::string line = said.substr(begin, end - begin);
      begin = end + 1;
      const auto want = std::min<std::size_t>(16, static_cast<std::size_t>(bytes - content.size()));
      if (want == 0) break;
      char* digits = nullptr;
      const auto at = std::strtoull(line.c_str(), &digits, 16);
      if (at != address + content.size() || *digits != ':' || line.size() < static_cast<std::size_t>(digits - line.c_str()) + 1 + 3 * want)
        return "";
      for (std::size_t i = 0; i < want; ++i) {
        const std::string pair(digits + 2 + 3 * i, 2);
        if (pair.find_first_not_of("0123456789abcdef") != std::string::npos) return "";
        content += static_cast<char>(std::stoi(pair, nullptr, 16));
      }
    }
    return content;
  }

  Sums fetch(OutputFile& out) {
    Summing summing;
    const auto address = config_.at("address").get<std::uint64_t>();
    constexpr std::uint64_t at_once = 4096;
    for (std::uint64_t done = 0; done < bytes_;) {
      job_.step("read", done, bytes_);
      const auto want = std::min(at_once, bytes_ - done);
      std::string piece;
      for (int tries = 0; piece.size() != want; ++tries) {
        if (tries == 4)
          throw Error(ErrorKind::Protocol, job_.object, fmt::format("md.b at 0x{:x} keeps arriving damaged", address + done),
                      "see the console; is the line sound?");
        piece = memory(address + done, want);
      }
      out.write(std::as_bytes(std::span(piece)));
      summing.add(std::as_bytes(std::span(piece)));
      done += want;
    }
    job_.step("read", bytes_, bytes_);
    return summing.sums();
  }

  FlashJob job_;
  const json& config_;
  Console& console_;
  UbootShell shell_;
  std::uint64_t bytes_ = 0;
  std::string wanted_;
};

}  // namespace

void check_uboot(const FlashJob& job) {
  const auto most = job.part.config.find("memory_bytes");
  if (most == job.part.config.end()) return;  // a dump
  const auto size = std::filesystem::file_size(job.file);
  if (size <= most->get<std::uint64_t>()) return;
  throw Error(ErrorKind::Config, job.object,
              fmt::format("the image has {} bytes, and `memory_bytes:` allows {}", size, most->get<std::uint64_t>()),
              "choose another image; nothing was switched or written");
}

FlashDone flash_by_uboot(const FlashJob& job) { return Uboot(job).flash(); }
FlashDone dump_by_uboot(const FlashJob& job) { return Uboot(job).dump(); }

}  // namespace hilcop
