// SPDX-License-Identifier: Apache-2.0
// Questions to the maker's servers: HTTPS only, bounded in time and size, no redirects.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "options.h"
#include "unit.h"

namespace ht1 {

struct HttpsReply {
  long status = 0;
  std::string body;
};

class HttpsClient {
 public:
  // `stop`: becomes true when the device ends; a question under way is given up.
  HttpsClient(const Options& options, const Unit& unit, const std::atomic<bool>& stop) : options_(options), unit_(unit), stop_(stop) {}

  // Failure when there is no answer from whom it should be.
  HttpsReply get(const std::string& url, std::size_t most) const;
  enum class As { Anybody, Device };  // Device: shows its client certificate
  HttpsReply post(const std::string& url, const std::string& body, const std::string& token, As as, int limit_s = 30) const;
  // Goes on where the file ends; it has at most `most` bytes afterwards. The status is 200 or 206 when there is all of it.
  long download(const std::string& url, const std::filesystem::path& file, std::uint64_t most) const;

 private:
  struct Handle;
  const Options& options_;
  const Unit& unit_;
  const std::atomic<bool>& stop_;
};

}  // namespace ht1
