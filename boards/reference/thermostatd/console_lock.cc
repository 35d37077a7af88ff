// SPDX-License-Identifier: Apache-2.0
#include "console_lock.h"

#include <utility>

namespace ht1 {

ConsoleLock::ConsoleLock(SecretHash secret, Seconds now, unsigned failures, std::function<void(unsigned)> keep)
    : secret_(std::move(secret)), now_(std::move(now)), failures_(failures), keep_(std::move(keep)) {
  if (failures_ >= kFree) locked_until_ = now_() + kWait;
}

ConsoleLock::Answer ConsoleLock::feed(std::string_view bytes) {
  Answer all;
  for (const char c : bytes) {
    if (c != '\n' && c != '\r') {
      if (line_.size() < kMostLine)
        line_ += c;
      else
        too_long_ = true;
      continue;
    }
    const std::string whole = std::exchange(line_, {});
    if (std::exchange(too_long_, false) || whole.empty()) continue;
    const Answer one = line(whole);
    all.text += one.text;
    all.unlocked = one.unlocked;
    if (all.unlocked) break;
  }
  return all;
}

void ConsoleLock::count(unsigned failures) {
  failures_ = failures;
  keep_(failures);
}

ConsoleLock::Answer ConsoleLock::line(const std::string& text) {
  constexpr std::string_view kWord = "unlock ";
  if (!text.starts_with(kWord)) return {"HT-1: console locked\r\n", false};
  if (now_() < locked_until_) return {"HT-1: console locked, wait\r\n", false};
  count(failures_ >= kFree ? kFree : failures_ + 1);
  if (failures_ >= kFree) locked_until_ = now_() + kWait;
  if (!matches(secret_, std::string_view(text).substr(kWord.size()))) return {"HT-1: console locked\r\n", false};
  count(0);
  locked_until_ = 0;
  return {"HT-1: console unlocked\r\n", true};
}

}  // namespace ht1
