// SPDX-License-Identifier: Apache-2.0
// Files whose content is there after a power cut, or gone after an erase.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ht1 {

std::optional<std::string> read_if_there(const std::filesystem::path& file);
std::string read_file(const std::filesystem::path& file);

// How far a write is pushed: Synced is on the medium when the call returns.
enum class Durability { Synced, Unsynced };

// All or nothing: a new file, synced, renamed over the old one, the folder synced.
void write_file(const std::filesystem::path& file, std::string_view bytes, Durability durability = Durability::Synced);
void append_file(const std::filesystem::path& file, std::string_view bytes, Durability durability = Durability::Synced);
// Its bytes first become random ones on the medium, then the name goes.
void overwrite_and_remove(const std::filesystem::path& file);
void remove_durably(const std::filesystem::path& file);
void sync_folder(const std::filesystem::path& folder);

}  // namespace ht1
