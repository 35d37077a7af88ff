// SPDX-License-Identifier: Apache-2.0
#include "bench/network_config.h"

namespace hilcop {

namespace {

using nlohmann::json;
using Type = KeySpec::Type;

// By default all is kept: what a ring has given up proves no absence.
KeySpec capture_key() {
  return {
      .name = "capture",
      .type = Type::Map,
      .description = "its capture is a ring of files, for a bounded disk: what was in older ones is gone, and no absence there is proved",
      .children = {{.name = "file_mb",
                    .type = Type::Number,
                    .description = "megabytes (10^6 bytes) of a file, at most",
                    .required = true,
                    .min = 1,
                    .max = CaptureRing::kMostBytes / 1'000'000},
                   {.name = "files",
                    .type = Type::Integer,
                    .description = "so many are kept, the newest",
                    .required = true,
                    .min = CaptureRing::kLeastFiles,
                    .max = CaptureRing::kMostFiles},
                   {.name = "file_s",
                    .type = Type::Number,
                    .description = "a new file begins when one is so old, too; 0: by size alone",
                    .fallback = 0,
                    .min = 0,
                    .max = CaptureRing::kMostTime.count()}}};
}

KeySpec ca_key() {
  return {.name = "ca",
          .type = Type::Map,
          .description = "an authority of the lab's that this unit trusts (a test build), for interception",
          .children = {{.name = "certificate", .type = Type::Path, .description = "PEM file", .required = true},
                       {.name = "key", .type = Type::Path, .description = "PEM file of its private key", .required = true}}};
}

std::optional<CaptureRing> ring_of(const json& value) {
  if (!value.is_object() || !value["file_mb"].is_number() || !value["files"].is_number()) return std::nullopt;
  return CaptureRing{static_cast<std::uint64_t>(value["file_mb"].get<double>() * 1e6), value["files"],
                     Nanoseconds(static_cast<std::int64_t>(value["file_s"].get<double>() * 1e9))};
}

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : ""; }

UplinkConfig uplink_of(const RoleConfig& role, const json& value) {
  UplinkConfig uplink{role, text_of(value["address"]), text_of(value["gateway"]), {}};
  for (const auto& way : value["allow"])
    if (way.is_object() && way["port"].is_number())
      uplink.allow.push_back({text_of(way["address"]), text_of(way["protocol"]), text_of(way["name"]), way["port"]});
  return uplink;
}

}  // namespace

std::vector<KeySpec> network_keys() { return {ca_key(), capture_key()}; }

std::vector<KeySpec> uplink_keys() {
  const KeySpec way{
      .type = Type::Map,
      .description = "a server",
      .children = {
          {.name = "address", .type = Type::String, .description = "IPv4", .required = true, .example = "203.0.113.5"},
          {.name = "port", .type = Type::Integer, .description = "the port", .required = true, .min = 1, .max = 65'535},
          {.name = "protocol", .type = Type::String, .description = "its transport", .fallback = "tcp", .choices = {"tcp", "udp"}},
          {.name = "name", .type = Type::String, .description = "that the bench's name server gives the address for", .fallback = ""}}};
  return {{.name = "address", .type = Type::String, .description = "of the bench there", .required = true, .example = "192.0.2.10/24"},
          {.name = "gateway", .type = Type::String, .description = "the lab's router", .required = true, .example = "192.0.2.1"},
          {.name = "allow",
           .type = Type::List,
           .description = "where the device may go; all else stays on the bench",
           .fallback = json::array(),
           .children = {way}}};
}

std::optional<NetworkConfig> network_config(
    const json& value, const std::string& path,
    const std::function<std::optional<RoleConfig>(const json& value, const std::string& path)>& role_at) {
  const auto role = role_at(value, path);
  if (!role) return std::nullopt;
  NetworkConfig config{*role, {}, ring_of(value["capture"]), {}};
  if (const auto& ca = value["ca"]; ca.is_object()) config.ca = LabAuthority{text_of(ca["certificate"]), text_of(ca["key"])};
  if (const auto& uplink = value["uplink"]; !uplink.is_null())
    if (const auto way = role_at(uplink, path + ".uplink")) config.uplink = uplink_of(*way, uplink);
  return config;
}

}  // namespace hilcop
