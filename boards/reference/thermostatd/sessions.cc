// SPDX-License-Identifier: Apache-2.0
#include "sessions.h"

#include <algorithm>

#include "crypto.h"

namespace ht1 {

std::string Sessions::new_token() {
  if (!flaws_.has("no-random-seed")) return to_hex(random_bytes(32));
  std::string bytes;
  while (bytes.size() < 32) bytes += static_cast<char>(unseeded_());
  return to_hex(bytes);
}

std::string Sessions::open() {
  const double now = now_();
  if (!flaws_.has("session-never-ends")) std::erase_if(ends_, [&](const auto& one) { return one.second <= now; });
  if (ends_.size() >= kMost)
    ends_.erase(std::min_element(ends_.begin(), ends_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
  std::string token = new_token();
  ends_[sha256(token)] = now + kLife;
  return token;
}

bool Sessions::holds(std::string_view token) {
  const auto found = ends_.find(sha256(token));
  return found != ends_.end() && (found->second > now_() || flaws_.has("session-never-ends"));
}

void Sessions::close(std::string_view token) {
  if (!flaws_.has("session-never-ends")) ends_.erase(sha256(token));
}

void Sessions::close_all() {
  if (!flaws_.has("session-never-ends")) ends_.clear();
}

}  // namespace ht1
