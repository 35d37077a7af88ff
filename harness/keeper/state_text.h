// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <regex.h>

#include "base/key_spec.h"

namespace hilcop {

/// Regexes are searched in so much of what an instrument says: the time that it takes grows with the square of that.
inline constexpr std::size_t kSearchedText = 8192;

/// A POSIX extended regex; ^ and $ are the ends of a line. Takes bounded time and little stack, whatever the text.
class TextPattern {
 public:
  /// Throws Error{Config} on `object`.
  TextPattern(const std::string& regex, const std::string& object);
  /// In its first kSearchedText bytes.
  bool found_in(const std::string& text) const;

 private:
  struct Free {
    void operator()(regex_t* compiled) const;
  };
  std::unique_ptr<regex_t, Free> compiled_;
};

/// Reads on or off out of a text as lab-config says: `is_on` and `is_off` are regexes for the text, or for the one value of its JSON
/// that `pointer` names. Never guesses: exactly one of the two must match, in all of a text that is not too long to be searched.
class StateText {
 public:
  static std::vector<KeySpec> keys(bool required);
  /// Throws Error{Config} on `object`.
  StateText(const nlohmann::json& config, std::string object);
  /// Throws Error{Protocol}, which says the text as `tellable` gives it: without secrets.
  using Tellable = std::function<std::string(std::string)>;
  bool is_on(
      const std::string& text, const Tellable& tellable = [](std::string all) { return all; }) const;

 private:
  std::string looked_at(const std::string& text, const Tellable& tellable) const;

  std::string object_;
  nlohmann::json::json_pointer pointer_;
  bool whole_text_;
  TextPattern on_, off_;
};

/// `text` with every {name} replaced. Other braces stay as they are.
std::string with_placeholder(std::string text, const std::string& name, const std::string& value);

}  // namespace hilcop
