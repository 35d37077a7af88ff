// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/telnet_stream.h"

#include "network/analysis/observations.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint8_t kIac = 255, kSb = 250, kSe = 240;
constexpr std::size_t kLongestPrompt = 256, kLongestTyped = 1024;

bool ends_like(std::string_view text, std::initializer_list<std::string_view> prompts) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  for (const auto prompt : prompts)
    if (text.ends_with(prompt)) return true;
  return false;
}

}  // namespace

bool is_telnet(Bytes bytes) {
  return bytes.size() >= 3 && static_cast<std::uint8_t>(bytes[0]) == kIac && static_cast<std::uint8_t>(bytes[1]) >= kSb + 1 &&
         static_cast<std::uint8_t>(bytes[1]) < kIac;
}

void TelnetStream::data(Side side, Bytes bytes, std::uint64_t offset) {
  auto& command = commands_[index_of(side)];
  for (const auto byte : bytes) {
    const auto c = static_cast<std::uint8_t>(byte);
    switch (command) {
      case Command::None:
        if (c == kIac)
          command = Command::Iac;
        else
          character(side, static_cast<char>(c), offset);
        break;
      case Command::Iac:
        command = c == kSb ? Command::Sub : c > kSb && c < kIac ? Command::Option : Command::None;
        if (c == kIac) character(side, static_cast<char>(c), offset);
        break;
      case Command::Option:
        command = Command::None;
        break;
      case Command::Sub:
        if (c == kIac) command = Command::SubIac;
        break;
      case Command::SubIac:
        command = c == kSe ? Command::None : Command::Sub;
        break;
    }
    ++offset;
  }
}

void TelnetStream::character(Side side, char c, std::uint64_t at) {
  if (side == Side::Server) {
    if (c == '\n')
      said_.clear();
    else
      said_ += c;
    if (said_.size() > kLongestPrompt) said_.erase(0, kLongestPrompt / 2);
    prompted(at);
    return;
  }
  if (std::exchange(after_return_, false) && (c == '\n' || c == '\0')) return;
  if (c == '\r' || c == '\n') {
    after_return_ = c == '\r';
    return line(at + 1);
  }
  if (typed_.empty()) typed_begin_ = at;
  if ((c == '\b' || c == 0x7f) && !typed_.empty())
    typed_.pop_back();
  else if (c == 0x15)
    typed_.clear();  // kill line
  else if (typed_.size() < kLongestTyped && c != '\b' && c != 0x7f)
    typed_ += c;
}

void TelnetStream::prompted(std::uint64_t) {
  if (said_.empty() || (said_.back() != ':' && said_.back() != ' ' && said_.back() != '>')) return;
  const auto text = lower_case(said_);
  if (ends_like(text, {"login:", "username:", "user:", "user name:", "account:"})) prompt_ = Prompt::User;
  if (ends_like(text, {"password:", "passwd:", "passcode:", "pin:"})) prompt_ = Prompt::Password;
}

void TelnetStream::line(std::uint64_t end) {
  if (prompt_ == Prompt::User) user_ = typed_;
  if (prompt_ == Prompt::Password) {
    context_.observations().add(
        Credential{context_.seen(Side::Client, typed_.empty() ? end - 1 : typed_begin_, end), "telnet", user_, typed_});
    user_.clear();
  }
  prompt_ = Prompt::None;
  said_.clear();
  typed_.clear();
}

void TelnetStream::gap(Side side) {
  commands_[index_of(side)] = Command::None;
  prompt_ = Prompt::None;
  said_.clear();
  typed_.clear();
}

void FtpStream::data(Side side, Bytes bytes, std::uint64_t offset) {
  if (side == Side::Server) {
    if (chars_of(bytes).starts_with("234")) over_ = true;  // RFC 4217: AUTH TLS was agreed to
    return;
  }
  for (const char c : chars_of(bytes)) {
    if (over_) return;
    if (line_.empty()) begin_ = offset;
    ++offset;
    if (c == '\n')
      command(offset);
    else if (line_.size() < kLongestTyped)
      line_ += c;
  }
}

void FtpStream::command(std::uint64_t end) {
  if (line_.ends_with('\r')) line_.pop_back();
  const auto verb = lower_case(std::string_view(line_).substr(0, 5));
  if (verb == "user ") user_ = line_.substr(5);
  if (verb == "pass ") context_.observations().add(Credential{context_.seen(Side::Client, begin_, end), "ftp", user_, line_.substr(5)});
  line_.clear();
}

void FtpStream::gap(Side side) {
  if (side == Side::Client) line_.clear();
}

}  // namespace hilcop::analysis
