// SPDX-License-Identifier: Apache-2.0
#include "keeper/secret.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/error.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;

std::string first_line_of(const std::string& file, const std::string& object) {
  errno = 0;
  std::ifstream stream(file);
  if (!stream) throw error_from_errno(errno == 0 ? ENOENT : errno, object, "read `password_file:` " + file);
  std::string line;
  std::getline(stream, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty())
    throw Error(ErrorKind::Config, object, "`password_file:` " + file + " is empty", "write the password into its first line");
  return line;
}

std::string variable(const std::string& name, const std::string& object) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    throw Error(ErrorKind::Config, object, "`password_env:` " + name + " is not set where the keeper was started",
                "end the keeper and set it before the next start, or use `password_file:`");
  return value;
}

}  // namespace

std::vector<KeySpec> login_keys(const std::string& user) {
  return {{.name = "user", .type = Type::String, .description = "who we are to it", .fallback = user},
          {.name = "password", .type = Type::String, .description = "the password itself: better give one of the next two", .fallback = ""},
          {.name = "password_file", .type = Type::Path, .description = "a file whose first line is the password"},
          {.name = "password_env",
           .type = Type::String,
           .description = "a variable that holds the password, in the environment that the keeper was started with",
           .fallback = ""}};
}

std::string password_of(const nlohmann::json& config, const std::string& object) {
  const std::string plain = config.at("password"), name = config.at("password_env");
  const std::string file = config.at("password_file").is_null() ? "" : config.at("password_file").get<std::string>();
  if (!plain.empty() + !name.empty() + !file.empty() > 1)
    throw Error(ErrorKind::Config, object, "its password is given more than once",
                "leave one of `password:`, `password_file:` and `password_env:`");
  if (!file.empty()) return first_line_of(file, object);
  return name.empty() ? plain : variable(name, object);
}

}  // namespace hilcop
