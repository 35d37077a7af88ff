// SPDX-License-Identifier: Apache-2.0
#include "network/filter/packet_filter.h"

#include <nftables/libnftables.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/owned.h"

namespace hilcop {

namespace {

constexpr const char* kObject = "filter of the bench network";

Error refused(const std::string& said) {
  const auto line = said.substr(0, said.find('\n'));
  if (said.find("Operation not permitted") != std::string::npos)
    return {ErrorKind::PermissionDenied, kObject, line, "it needs CAP_NET_ADMIN over this network"};
  return {ErrorKind::Unsupported, kObject, "this kernel takes not its rules: " + line,
          "modprobe nf_tables nft_tproxy nft_ct nft_masq nft_chain_nat (those that it has as modules)"};
}

}  // namespace

struct PacketFilter::State {
  Owned<nft_ctx, nft_ctx_free> context{nft_ctx_new(NFT_CTX_DEFAULT)};
};

PacketFilter::PacketFilter() : state_(std::make_unique<State>()) {
  auto* const context = state_->context.get();
  if (context == nullptr || nft_ctx_buffer_output(context) != 0 || nft_ctx_buffer_error(context) != 0)
    throw Error(ErrorKind::Exhausted, kObject, "cannot be set up: this host has no memory or descriptor left");
  nft_ctx_output_set_flags(context, NFT_CTX_OUTPUT_JSON);
}

PacketFilter::~PacketFilter() = default;

std::string PacketFilter::run(const std::string& commands) {
  auto* const context = state_->context.get();
  const bool done = nft_run_cmd_from_buffer(context, commands.c_str()) == 0;
  // Each gives what was said since it was asked last.
  const std::string output = nft_ctx_get_output_buffer(context), said = nft_ctx_get_error_buffer(context);
  if (!done) throw refused(said);
  return output;
}

void PacketFilter::set(const FilterState& state) { run(ruleset_of(state)); }

std::map<std::string, std::uint64_t> PacketFilter::counts() {
  std::map<std::string, std::uint64_t> counts;
  const auto told = nlohmann::json::parse(run("list counters table inet hilcop"), nullptr, false);
  if (told.is_discarded()) throw Error(ErrorKind::Protocol, kObject, "its counters are not told as JSON");
  for (const auto& entry : told.value("nftables", nlohmann::json::array()))
    if (const auto counter = entry.find("counter"); counter != entry.end())
      counts[counter->at("name").get<std::string>()] = counter->at("packets").get<std::uint64_t>();
  return counts;
}

}  // namespace hilcop
