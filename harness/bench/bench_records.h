// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

namespace hilcop {

/// Whether a group shares what is known of benches: it asks one keeper, which has made a place for it (base/paths.h).
bool records_are_shared();

/// Keeps a record of a bench, whole or not at all: of this user under state_dir()/<kind>, or of his group, whose members may then all
/// read and replace it. Throws Error (disk full, no permission).
void write_record(const std::string& kind, const std::string& name, const std::string& content);

/// What was kept; nullopt: nothing. Throws Error{PermissionDenied} and others where it is there and cannot be read.
std::optional<std::string> read_record(const std::string& kind, const std::string& name);

/// Where it stands or would, for people.
std::string record_file(const std::string& kind, const std::string& name);

}  // namespace hilcop
