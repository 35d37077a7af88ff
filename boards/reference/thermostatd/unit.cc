// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include <map>
#include <nlohmann/json.hpp>

#include "crypto.h"
#include "error.h"
#include "files.h"

namespace ht1 {

// As a record of the sealed store, in a folder of its own: a factory reset does not touch it.
std::string Unit::private_key(const std::string& name) const {
  if (flaws.has("keys-in-clear")) return read_file(file(name.c_str()));
  const auto sealed = folder / "sealed";
  auto pem = unseal(hkdf_sha256(fuse_key, read_file(sealed / ".salt"), "ht1 factory key " + name), name, read_file(sealed / name));
  if (!pem) throw Failure("factory data " + (sealed / name).string() + ": the fuses do not open it; it was changed or is another unit's");
  return *std::move(pem);
}

Unit read_unit(const std::filesystem::path& factory, const std::filesystem::path& fuses) {
  const std::string text = read_file(factory / "unit.json"), fused = read_file(fuses);
  if (fused.size() < 64) throw Failure("fuses " + fuses.string() + ": shorter than 64 bytes; is it this unit's?");
  if (sha256(text) != fused.substr(32, 32))
    throw Failure("factory data " + (factory / "unit.json").string() + ": not what the fuses say; it was changed or is another unit's");
  try {
    const auto json = nlohmann::json::parse(text);
    Unit unit;
    unit.model = json.at("model"), unit.serial = json.at("serial"), unit.mac = json.at("mac"), unit.hardware = json.at("hardware");
    unit.cloud = json.at("cloud"), unit.mqtt = json.at("mqtt");
    // The maker's update host stands in the same domain as its cloud.
    unit.updates = json.value("updates", "updates" + unit.cloud.substr(std::min(unit.cloud.find('.'), unit.cloud.size())));
    unit.setup_secret = secret_from_json(json.at("setup_secret"));
    unit.debug_unlock = secret_from_json(json.at("debug_unlock"));
    unit.flaws = Flaws(json.value("flaws", std::set<std::string, std::less<>>{}));
    unit.fuse_key = fused.substr(0, 32);
    unit.folder = factory;
    for (const auto& [name, digest] : json.value("trusted", std::map<std::string, std::string>{}))
      if (to_hex(sha256(read_file(unit.file(name.c_str())))) != digest)
        throw Failure("factory data " + unit.file(name.c_str()).string() +
                      ": not what unit.json says; it was changed or is another unit's");
    return unit;
  } catch (const nlohmann::json::exception& e) {
    throw Failure("factory data " + (factory / "unit.json").string() + ": " + e.what() + "; make the unit again");
  }
}

}  // namespace ht1
