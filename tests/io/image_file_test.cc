// SPDX-License-Identifier: Apache-2.0
// Against files that gzip and xz themselves made.
#include "io/image_file.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/deadline.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

class ImageFileTest : public testing::Test {
 protected:
  ImageFileTest() {
    for (int i = 0; i < 300'000; ++i) content_ += static_cast<char>(i % 251 ^ i / 1000);
    write("image", content_);
  }
  void write(const std::string& name, const std::string& bytes) { std::ofstream(dir_ / name, std::ios::binary) << bytes; }
  std::string read_file(const std::string& name) {
    std::ifstream file(dir_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void pack(const std::string& command) {
    ProcessOptions options;
    options.program = "sh";
    options.arguments = {"-c", command};
    options.directory = dir_.path();
    ASSERT_EQ(run_process(options, Deadline::in(20s)).status.code, 0);
  }
  std::string unpacked(const std::string& name, std::size_t piece = 10'007) {
    const auto file = ImageFile::open(dir_ / name);
    std::string all, part(piece, '\0');
    for (std::size_t n = piece; n == piece;) {
      n = file->read(std::as_writable_bytes(std::span(part)));
      all.append(part, 0, n);
    }
    return all;
  }

  TempDir dir_;
  std::string content_;
};

TEST_F(ImageFileTest, PlainAndPackedGiveTheSameBytesInAnyPieces) {
  pack("gzip -k image && xz -k image");
  for (const char* name : {"image", "image.gz", "image.xz"})
    for (const std::size_t piece : {1u << 20, 10'007u}) EXPECT_EQ(unpacked(name, piece), content_) << name;
  EXPECT_EQ(unpacked("image.xz", 1).size(), content_.size());
}

TEST_F(ImageFileTest, FilesThatWerePutTogetherAreReadToTheirEnd) {
  pack("(gzip -c image; gzip -c image) > two.gz; (xz -c image; xz -c image) > two.xz");
  EXPECT_EQ(unpacked("two.gz"), content_ + content_);
  EXPECT_EQ(unpacked("two.xz"), content_ + content_);
}

TEST_F(ImageFileTest, HolesAreZeros) {
  std::filesystem::resize_file(dir_ / "image", 1'000'000);
  EXPECT_EQ(unpacked("image"), content_ + std::string(700'000, '\0'));
}

TEST_F(ImageFileTest, WhatIsCutOffOrDamagedIsNeverTakenForTheWhole) {
  pack("gzip -k image && xz -k image");
  for (const std::string name : {"image.gz", "image.xz"}) {
    const auto packed = read_file(name);
    for (const std::size_t size : {packed.size() - 1, packed.size() / 2, std::size_t{5}, std::size_t{0}}) {
      write(name, packed.substr(0, size));
      EXPECT_EQ(error_of([&] { unpacked(name); }).kind(), ErrorKind::Protocol) << name << " of " << size;
    }
    for (const std::size_t at : {std::size_t{1}, packed.size() / 2, packed.size() - 3}) {
      auto damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      write(name, damaged);
      EXPECT_EQ(error_of([&] { unpacked(name); }).kind(), ErrorKind::Protocol) << name << " at " << at;
    }
    write(name, packed + "rubbish");
    EXPECT_EQ(error_of([&] { unpacked(name); }).kind(), ErrorKind::Protocol) << name << " with rubbish behind it";
  }
}

TEST_F(ImageFileTest, AndroidsSparseFormatIsRefusedForAMedium) {
  write("sparse.img", std::string("\x3a\xff\x26\xed", 4) + std::string(100, 'x'));
  EXPECT_THAT(error_of([&] { ImageFile::open(dir_ / "sparse.img"); }).what(), HasSubstr("simg2img"));
  EXPECT_NO_THROW(ImageFile::open_as_it_is(dir_ / "sparse.img"));
}

TEST_F(ImageFileTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(error_of([&] { ImageFile::open(dir_ / "none"); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_of([&] { ImageFile::open(dir_.path()); }).kind(), ErrorKind::Config);
}

TEST(Crc32, IsTheOneOfGzipAndUboot) {
  const std::string check = "123456789";  // the check value of CRC-32/ISO-HDLC
  EXPECT_EQ(crc32_of(0, std::as_bytes(std::span(check))), 0xcbf43926u);
}

}  // namespace
}  // namespace hilcop
