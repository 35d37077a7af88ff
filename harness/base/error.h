// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hilcop {

/// Exhausted: disk space, descriptors or memory ran out. The others say what they are.
enum class ErrorKind { Config, NotFound, PermissionDenied, Busy, Disconnected, Timeout, Protocol, Unsupported, Exhausted };

std::string to_string(ErrorKind kind);

/// The bench misbehaves. Never used for what the device does: that is a Check that fails.
/// what() reads "<object>: <cause>; <remedy>" and then the context lines.
class Error : public std::runtime_error {
 public:
  /// object: the bench object ("power of dut 'board1'"), cause: why, remedy: what the reader can do (may be empty).
  Error(ErrorKind kind, std::string object, std::string cause, std::string remedy = "", std::vector<std::string> context = {});

  ErrorKind kind() const { return kind_; }
  const std::string& object() const { return object_; }
  const std::string& cause() const { return cause_; }
  const std::string& remedy() const { return remedy_; }
  const std::vector<std::string>& context() const { return context_; }

  /// The same error with one more line of what was being done ("while booting dut 'board1'").
  Error while_doing(std::string line) const;

  /// {"kind", "object", "cause", "remedy", "context"}: crosses process borders without loss.
  nlohmann::json to_json() const;
  static Error from_json(const nlohmann::json& value);

 private:
  ErrorKind kind_;
  std::string object_, cause_, remedy_;
  std::vector<std::string> context_;
};

/// Kind, cause and remedy for an errno of a system call on `object` (EACCES names the group to join, ENOSPC the disk, ...).
Error error_from_errno(int errnum, std::string object, const std::string& action);

}  // namespace hilcop
