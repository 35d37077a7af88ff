// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

#include "network/dhcp/router_advertiser.h"
#include "network/services/dns_server.h"
#include "network/services/ntp_server.h"

namespace hilcop {

/// What was asked of a service, for the timeline. Text of the device is as it came, made printable.
nlohmann::json to_json(const services::DnsExchange& exchange);
nlohmann::json to_json(const services::NtpExchange& exchange);
nlohmann::json to_json(const RouterReport& report);

/// A rule of DNS, as docs/protocol.md has it. Throws Error{Config}.
services::DnsRule dns_rule_of(const nlohmann::json& how);
services::NtpBehaviour ntp_behaviour_of(const nlohmann::json& how);

}  // namespace hilcop
