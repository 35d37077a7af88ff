// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace hilcop {

/// The whole line(s) around [begin, end), as valid UTF-8 with control bytes escaped, at most 500 characters.
std::string line_around(std::string_view text, std::size_t begin, std::size_t end);

/// For messages and events: valid UTF-8, control and invalid bytes as \x1b, cut to `most` bytes.
std::string printable(std::string_view bytes, std::size_t most);

/// The last lines of a text, for an error that must show what was seen.
std::string last_lines(std::string_view text, std::size_t lines);

/// Length of a kernel stamp, "[   12.345678] " or "[   12.345678][    T1] ", at the begin of the text; 0: none.
std::size_t kernel_stamp(std::string_view text);
/// "\r\n" as "\n".
std::string without_carriage_returns(std::string_view text);

/// Kernel messages ("[   12.345678] ...") out of a console text, wherever they cut in; they are appended to `kernel`.
std::string without_kernel_lines(std::string_view text, std::string* kernel = nullptr);

}  // namespace hilcop
