// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hilcop {
namespace {

constexpr std::array<std::pair<ErrorKind, const char*>, 9> kNames{{{ErrorKind::Config, "Config"},
                                                                   {ErrorKind::NotFound, "NotFound"},
                                                                   {ErrorKind::PermissionDenied, "PermissionDenied"},
                                                                   {ErrorKind::Busy, "Busy"},
                                                                   {ErrorKind::Disconnected, "Disconnected"},
                                                                   {ErrorKind::Timeout, "Timeout"},
                                                                   {ErrorKind::Protocol, "Protocol"},
                                                                   {ErrorKind::Unsupported, "Unsupported"},
                                                                   {ErrorKind::Exhausted, "Exhausted"}}};

std::string compose(const std::string& object, const std::string& cause, const std::string& remedy,
                    const std::vector<std::string>& context) {
  std::string text = object + ": " + cause;
  if (!remedy.empty()) text += "; " + remedy;
  for (const auto& line : context) text += "\n  " + line;
  return text;
}

}  // namespace

std::string to_string(ErrorKind kind) {
  for (const auto& [value, name] : kNames)
    if (value == kind) return name;
  return "Protocol";
}

Error::Error(ErrorKind kind, std::string object, std::string cause, std::string remedy, std::vector<std::string> context)
    : std::runtime_error(compose(object, cause, remedy, context)),
      kind_(kind),
      object_(std::move(object)),
      cause_(std::move(cause)),
      remedy_(std::move(remedy)),
      context_(std::move(context)) {}

Error Error::while_doing(std::string line) const {
  auto context = context_;
  context.push_back(std::move(line));
  return Error(kind_, object_, cause_, remedy_, std::move(context));
}

nlohmann::json Error::to_json() const {
  return {{"kind", to_string(kind_)}, {"object", object_}, {"cause", cause_}, {"remedy", remedy_}, {"context", context_}};
}

Error Error::from_json(const nlohmann::json& value) {
  ErrorKind kind = ErrorKind::Protocol;
  for (const auto& [known, name] : kNames)
    if (value.value("kind", "") == name) kind = known;
  return Error(kind, value.value("object", "?"), value.value("cause", "unknown cause"), value.value("remedy", ""),
               value.value("context", std::vector<std::string>{}));
}

Error error_from_errno(int errnum, std::string object, const std::string& action) {
  const std::string cause = action + ": " + std::strerror(errnum);
  switch (errnum) {
    case EACCES:
    case EPERM:
      return {ErrorKind::PermissionDenied, std::move(object), cause, "give this user access (lab-config/README.md, 'Access')"};
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return {ErrorKind::NotFound, std::move(object), cause, "check the path, the cable and the power of the instrument"};
    case EBUSY:
    case EADDRINUSE:
      return {ErrorKind::Busy, std::move(object), cause, "another program holds it: close it, or wait"};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return {ErrorKind::Exhausted, std::move(object), cause, "free disk space, memory or descriptors and run again"};
    case EIO:
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ENOTCONN:
      return {ErrorKind::Disconnected, std::move(object), cause, "check the cable and that the other side runs"};
    case ETIMEDOUT:
      return {ErrorKind::Timeout, std::move(object), cause, "check that the other side answers"};
    default:
      return {ErrorKind::Protocol, std::move(object), cause, ""};
  }
}

}  // namespace hilcop
