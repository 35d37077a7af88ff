// SPDX-License-Identifier: Apache-2.0
#include "update_metadata.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "crypto.h"
#include "error.h"
#include "json_input.h"

namespace ht1 {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostBundle = 48ull << 20;

UpdateMetadata from_text(const std::string& text, const Flaws& flaws) {
  const json body = parse_input(text, flaws, 2000);
  // Fields that a later maker adds do no harm: they are signed.
  UpdateMetadata read;
  read.model = body.at("model"), read.version = body.at("version"), read.min_version = body.at("min_version");
  read.sha256 = body.at("sha256"), read.url = body.at("url"), read.notes = body.value("notes", "");
  read.size = body.at("size").get<std::uint64_t>();
  read.security = body.value("security", false);
  if (body.contains("crc32")) read.crc32 = body["crc32"].get<std::uint32_t>();
  const auto expires = seconds_of(body.at("expires"));
  if (!expires) throw Failure("update metadata: 'expires' is no time as 2026-11-28T05:31:04Z");
  read.expires = *expires;
  const auto digest = from_hex(read.sha256);
  if (!digest || digest->size() != 32) throw Failure("update metadata: 'sha256' is not 64 hexadecimal digits");
  if (read.size == 0 || read.size > kMostBundle) throw Failure("update metadata: a bundle has 1 byte to 48 MiB");
  if (!is_version(read.version) || !is_version(read.min_version)) throw Failure("update metadata: a version is numbers with dots between");
  return read;
}

}  // namespace

std::optional<std::int64_t> seconds_of(const std::string& moment) {
  std::tm tm{};
  const char* end = moment.size() == 20 ? ::strptime(moment.c_str(), "%Y-%m-%dT%H:%M:%SZ", &tm) : nullptr;
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&tm);
}

UpdateMetadata read_metadata(const std::string& reply, const std::string& public_key, const Flaws& flaws) {
  try {
    if (reply.size() > kMostBody) throw Failure("update metadata: more than 64 KiB");
    const json envelope = json::parse(reply);
    const std::string text = envelope.at("signed");
    const auto signature = from_base64(envelope.at("signature").get<std::string>());
    const bool holds = signature && signature_holds(public_key, text, *signature);
    if (!holds && !flaws.has("update-unsigned") && !flaws.has("update-crc-only"))
      throw Failure("update metadata: the signature is not the maker's; nothing of it is believed");
    return from_text(text, flaws);
  } catch (const json::exception& e) {
    throw Failure(std::string("update metadata: cannot be read: ") + e.what());
  } catch (const Refusal& e) {
    throw Failure(std::string("update metadata: ") + e.what());
  }
}

bool is_update(const UpdateMetadata& offered, const Running& running, const Flaws& flaws) {
  if (offered.model != running.model) throw Failure("update metadata: it is for a " + offered.model + ", this is a " + running.model);
  if (offered.expires < running.now)
    throw Failure("update metadata: it expired; the server, the clock or somebody between is behind the time");
  if (flaws.has("update-downgrade")) return offered.version != running.version;
  if (compare_versions(offered.version, running.min_version).value_or(-1) < 0)
    throw Failure("update metadata: version " + offered.version + " is older than " + running.min_version +
                  ", below which this device never goes");
  return compare_versions(offered.version, running.version).value_or(-1) > 0;
}

}  // namespace ht1
