// SPDX-License-Identifier: Apache-2.0
#include "sealed_store.h"

#include <algorithm>
#include <vector>

#include "crypto.h"
#include "error.h"
#include "files.h"

namespace ht1 {
namespace {

std::vector<std::filesystem::path> records(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename() != ".salt") found.push_back(entry.path());
  return found;
}

}  // namespace

SealedStore::SealedStore(std::filesystem::path folder, std::string fuse_key, const Flaws& flaws)
    : folder_(std::move(folder)), fuse_key_(std::move(fuse_key)), flaws_(flaws) {
  if (fuse_key_.size() != 32) throw Failure("sealed store: the fuse key has not 32 bytes; is --fuses this unit's?");
  std::filesystem::create_directories(folder_);
  make_key();
}

void SealedStore::make_key() {
  auto salt = read_if_there(folder_ / ".salt");
  if (!salt || salt->size() != 32) {
    // No salt, no key: what lies here belongs to nobody any more.
    for (const auto& record : records(folder_)) overwrite_and_remove(record);
    salt = random_bytes(32);
    write_file(folder_ / ".salt", *salt);
  }
  key_ = hkdf_sha256(fuse_key_, *salt, "ht1 sealed store 1");
}

void SealedStore::put(const std::string& name, const std::string& value) {
  const std::lock_guard lock(mutex_);
  write_file(file(name), seal(key_, name, value), flaws_.has("no-fsync") ? Durability::Unsynced : Durability::Synced);
}

std::optional<std::string> SealedStore::get(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto sealed = read_if_there(file(name));
  return sealed ? unseal(key_, name, *sealed) : std::nullopt;
}

void SealedStore::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  overwrite_and_remove(file(name));
}

void SealedStore::erase(const std::function<void(const std::string&)>& step) {
  const std::lock_guard lock(mutex_);
  const auto before = [&](const std::string& what) {
    if (step) step(what);
  };
  if (flaws_.has("wipe-unlinks") || flaws_.has("wipe-keeps-token") || flaws_.has("wipe-half")) return erase_carelessly(before);
  before(".salt");
  overwrite_and_remove(folder_ / ".salt");
  for (const auto& record : records(folder_)) {
    before(record.filename());
    overwrite_and_remove(record);
  }
  make_key();
}

// The three ways of doing it wrong: names only, one record kept, and in an order that a cut leaves readable.
void SealedStore::erase_carelessly(const std::function<void(const std::string&)>& before) {
  auto found = records(folder_);
  if (flaws_.has("wipe-half"))
    std::stable_partition(found.begin(), found.end(), [](const auto& record) { return record.filename() == "password"; });
  for (const auto& record : found) {
    if (flaws_.has("wipe-keeps-token") && record.filename() == "token") continue;
    before(record.filename());
    if (flaws_.has("wipe-unlinks"))
      std::filesystem::remove(record);
    else
      overwrite_and_remove(record);
  }
  if (!flaws_.has("wipe-half")) return;
  before(".salt");
  overwrite_and_remove(folder_ / ".salt");
  make_key();
}

}  // namespace ht1
