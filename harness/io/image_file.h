// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace hilcop {

/// The bytes of an image, from its beginning to its end. Throws Error: NotFound, Config, Protocol (damaged, cut off).
class ImageFile {
 public:
  /// What it stands for on a medium: NAME.gz and NAME.xz unpacked, any other file as it is (holes are zeros). Android's sparse format
  /// is refused: that is for fastboot.
  static std::unique_ptr<ImageFile> open(const std::filesystem::path& path);
  /// As it is, whatever it is.
  static std::unique_ptr<ImageFile> open_as_it_is(const std::filesystem::path& path);
  virtual ~ImageFile() = default;
  /// Fills `into` unless the image ends; how much it filled, 0 at the end.
  virtual std::size_t read(std::span<std::byte> into) = 0;
};

/// As zlib, U-Boot's `crc32` and gzip reckon it: begin with 0.
std::uint32_t crc32_of(std::uint32_t before, std::span<const std::byte> bytes);

}  // namespace hilcop
