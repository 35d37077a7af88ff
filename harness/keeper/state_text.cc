// SPDX-License-Identifier: Apache-2.0
#include "keeper/state_text.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "io/exchange.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;
using nlohmann::json;

json::json_pointer pointer_in(const json& config, const std::string& object) {
  const std::string pointer = config.at("pointer");
  try {
    return json::json_pointer(pointer);
  } catch (const json::exception&) {
    throw Error(ErrorKind::Config, object, "`pointer:` '" + pointer + "' is no JSON pointer (RFC 6901)", "write it as /relays/0/ison");
  }
}

}  // namespace

void TextPattern::Free::operator()(regex_t* compiled) const {
  ::regfree(compiled);
  delete compiled;
}

TextPattern::TextPattern(const std::string& regex, const std::string& object) {
  const auto useless = [&](const std::string& why) {
    return Error(ErrorKind::Config, object, "'" + regex + "' is no regex that could match: " + why, "write a POSIX extended regex");
  };
  if (regex.empty()) throw useless("it is empty");
  auto compiled = std::make_unique<regex_t>();
  const int failed = ::regcomp(compiled.get(), regex.c_str(), REG_EXTENDED | REG_NEWLINE);
  if (failed != 0) {
    std::array<char, 128> why{};
    ::regerror(failed, compiled.get(), why.data(), why.size());
    throw useless(why.data());
  }
  compiled_.reset(compiled.release());
}

bool TextPattern::found_in(const std::string& text) const {
  // REG_STARTEND: to its end, not to the first zero byte that an instrument may send.
  regmatch_t span{0, static_cast<regoff_t>(std::min(text.size(), kSearchedText))};
  return ::regexec(compiled_.get(), text.c_str(), 1, &span, REG_STARTEND) == 0;
}

std::vector<KeySpec> StateText::keys(bool required) {
  return {{.name = "pointer",
           .type = Type::String,
           .description = "JSON pointer to the value that tells (/relays/0/ison); absent: all of the text",
           .fallback = ""},
          {.name = "is_on",
           .type = Type::String,
           .description = "regex that is there when it is on",
           .required = required,
           .example = "^true$"},
          {.name = "is_off",
           .type = Type::String,
           .description = "regex that is there when it is off",
           .required = required,
           .example = "^false$"}};
}

StateText::StateText(const json& config, std::string object)
    : object_(std::move(object)),
      pointer_(pointer_in(config, object_)),
      whole_text_(config.at("pointer").get<std::string>().empty()),
      on_(config.at("is_on"), object_),
      off_(config.at("is_off"), object_) {}

std::string StateText::looked_at(const std::string& text, const Tellable& tellable) const {
  if (whole_text_) return text;
  const auto value = json::parse(text, nullptr, false);
  if (value.is_discarded() || !value.contains(pointer_))
    throw Error(ErrorKind::Protocol, object_, "its state has nothing at '" + pointer_.to_string() + "': " + shown(tellable(text)),
                "check `pointer:` in lab-config");
  const auto& found = value.at(pointer_);
  return found.is_string() ? found.get<std::string>() : found.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool StateText::is_on(const std::string& text, const Tellable& tellable) const {
  const auto told = looked_at(text, tellable);
  if (told.size() > kSearchedText)
    throw Error(ErrorKind::Protocol, object_, "its state is a text of " + std::to_string(told.size()) + " bytes, too long to search",
                "give a `pointer:` into it, or ask for less");
  const bool on = on_.found_in(told), off = off_.found_in(told);
  if (on == off)
    throw Error(ErrorKind::Protocol, object_, std::string("its state is neither on nor off, or both: ") + shown(tellable(told)),
                "check `is_on:` and `is_off:` in lab-config");
  return on;
}

std::string with_placeholder(std::string text, const std::string& name, const std::string& value) {
  const auto what = "{" + name + "}";
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += value.size()) text.replace(at, what.size(), value);
  return text;
}

}  // namespace hilcop
