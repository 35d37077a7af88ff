// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace hilcop {

/// The bytes that an image stands for, from its beginning to its end: NAME.gz and NAME.xz uncompressed, any other file as it is (holes
/// are zeros). Throws Error: NotFound, Config (Android's sparse format, which is for fastboot), Protocol (damaged, cut off).
class ImageFile {
 public:
  static std::unique_ptr<ImageFile> open(const std::filesystem::path& path);
  virtual ~ImageFile() = default;
  /// Fills `into` unless the image ends; how much it filled, 0 at the end.
  virtual std::size_t read(std::span<std::byte> into) = 0;
};

/// As zlib, U-Boot's `crc32` and gzip reckon it: begin with 0.
std::uint32_t crc32_of(std::uint32_t before, std::span<const std::byte> bytes);

}  // namespace hilcop
