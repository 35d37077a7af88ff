// SPDX-License-Identifier: Apache-2.0
#include "keeper/secret.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/error.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;

std::string first_line_of(const std::string& file, const std::string& key, const std::string& object) {
  errno = 0;
  std::ifstream stream(file);
  if (!stream) throw error_from_errno(errno == 0 ? ENOENT : errno, object, "read `" + key + ":` " + file);
  std::string line;
  std::getline(stream, line);
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) throw Error(ErrorKind::Config, object, "`" + key + ":` " + file + " is empty", "write the secret into its first line");
  return line;
}

std::string variable(const std::string& name, const std::string& key, const std::string& object) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    throw Error(ErrorKind::Config, object, "`" + key + ":` " + name + " is not set where the keeper was started",
                "end the keeper and set it before the next start, or give the secret in a file");
  return value;
}

std::string text_at(const nlohmann::json& config, const std::string& key) {
  const auto found = config.find(key);
  return found == config.end() || found->is_null() ? "" : found->get<std::string>();
}

}  // namespace

std::vector<KeySpec> secret_keys(const std::string& name, const std::string& what) {
  return {{.name = name, .type = Type::String, .description = what + " itself: better give one of the next two", .fallback = ""},
          {.name = name + "_file", .type = Type::Path, .description = "a file whose first line is " + what},
          {.name = name + "_env",
           .type = Type::String,
           .description = "a variable that holds " + what + ", in the environment that the keeper was started with",
           .fallback = ""}};
}

std::vector<KeySpec> login_keys(const std::string& user) {
  auto keys = secret_keys("password", "the password");
  keys.insert(keys.begin(), {.name = "user", .type = Type::String, .description = "who we are to it", .fallback = user});
  return keys;
}

std::string secret_of(const nlohmann::json& config, const std::string& name, const std::string& object) {
  const auto plain = text_at(config, name), env = text_at(config, name + "_env"), file = text_at(config, name + "_file");
  if (!plain.empty() + !env.empty() + !file.empty() > 1)
    throw Error(ErrorKind::Config, object, "its `" + name + "` is given more than once",
                "leave one of `" + name + ":`, `" + name + "_file:` and `" + name + "_env:`");
  if (!file.empty()) return first_line_of(file, name + "_file", object);
  return env.empty() ? plain : variable(env, name + "_env", object);
}

bool has_secret(const nlohmann::json& config, const std::string& name) {
  return !(text_at(config, name) + text_at(config, name + "_env") + text_at(config, name + "_file")).empty();
}

}  // namespace hilcop
