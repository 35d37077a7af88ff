// SPDX-License-Identifier: Apache-2.0
#include "network/process/event_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::size_t kMostOfALine = 300, kMostOfData = 80;

std::string text_of(const json& data, const char* key) { return data.value(key, ""); }

// A key that is left out, null or empty says nothing.
std::string after(const json& data, const char* key, const std::string& before, const std::string& behind = "") {
  const auto found = data.find(key);
  if (found == data.end() || found->is_null() || *found == "") return "";
  return before + (found->is_string() ? found->get<std::string>() : found->dump()) + behind;
}

std::string joined(const json& list, const std::string& between = ", ") {
  std::string all;
  for (const auto& one : list) all += (all.empty() ? "" : between) + (one.is_string() ? one.get<std::string>() : one.dump());
  return all;
}

std::string dhcp_answer(const json& answer) {
  return text_of(answer, "kind") + after(answer, "your_address", " ") + after(answer, "lease_s", " for ", " s") +
         after(answer, "failure", ", which was not sent: ");
}

EventText dhcp_text(const json& data) {
  std::string who = text_of(data, "mac") + after(data, "host_name", ", '", "'") + after(data, "vendor_class", ", vendor '", "'");
  if (data.contains("malformed")) return {"dhcp", fmt::format("malformed, of {}: {}", who, text_of(data, "malformed")), true};
  std::string answers;
  for (const auto& answer : data.value("answers", json::array())) answers += (answers.empty() ? "" : " and ") + dhcp_answer(answer);
  if (answers.empty()) answers = "no answer" + after(data, "reason", ": ");
  if (const auto faults = joined(data.value("faults", json::array())); !faults.empty()) answers += " (fault: " + faults + ")";
  const auto wish = after(data, "requested_address", " ");
  return {"dhcp",
          fmt::format("{}{} of {}: {}", text_of(data, "kind"), wish.empty() ? after(data, "client_address", " ") : wish, who, answers)};
}

EventText router_text(const json& data) {
  const auto kind = text_of(data, "kind"), why = text_of(data, "why");
  if (kind == "solicited") return {"router", text_of(data, "source") + " asks for a router"};
  if (kind == "advertised") return {"router", fmt::format("advertised to {} ({})", text_of(data, "source"), why)};
  return {"router", fmt::format("{} {}: {}", text_of(data, "source"), kind, why), kind == "malformed"};
}

// "sent_application_data" with the begin of it.
std::string outcome_text(const json& data) {
  std::string outcome = text_of(data, "outcome");
  for (auto& c : outcome)
    if (c == '_') c = ' ';
  if (const auto size = data.value("data_bytes", std::uint64_t{0}); size != 0) {
    auto first = text_of(data, "data");
    first.resize(std::min({first.size(), first.find('\n'), kMostOfData}));
    while (first.ends_with("\\x0d")) first.resize(first.size() - 4);
    outcome += fmt::format(", {} bytes: {}", size, first);
  } else {
    outcome += after(data, "cause", ": ");
  }
  return outcome;
}

EventText tls_text(const json& data) {
  const auto name = text_of(data, "name"), aim = text_of(data, "aimed_at");
  const auto given = data.value("case", json());
  const auto outcome = text_of(data, "outcome");
  return {"tls",
          fmt::format("{}{}: {}", name.empty() ? aim : name + " (" + aim + ")", given.is_string() ? ", " + given.get<std::string>() : "",
                      outcome_text(data)),
          (outcome == "sent_application_data" && given != "sound") || outcome == "not_tls"};
}

EventText datagram_text(const json& data) {
  const auto name = text_of(data, "name"), aim = text_of(data, "aimed_at");
  return {"tls",
          fmt::format("{}: begins {}, which is not spoken here", name.empty() ? aim : name + " (" + aim + ")", text_of(data, "version"))};
}

EventText clash_text(const json& data) {
  return {"clash", fmt::format("{} says that the gateway's address {} is his", text_of(data, "mac"), text_of(data, "address")), true};
}

EventText carrier_text(const json& data) {
  const auto carrier = text_of(data, "carrier");
  return {"link",
          text_of(data, "interface") + (carrier == "there"  ? ": something is plugged in"
                                        : carrier == "none" ? ": nothing is plugged in"
                                                            : ": the interface has gone"),
          carrier == "gone"};
}

EventText change_text(const json& data) {
  auto how = data.value("how", json::object());
  if (how.is_object())
    for (const char* const text : {"ca_pem", "ca_key_pem"}) how.erase(text);
  return {"bench", text_of(data, "what") + (how.empty() ? "" : " " + how.dump(-1, ' ', false, json::error_handler_t::replace))};
}

EventText power_text(const json& data) {
  return {"power", (data.value("on", false) ? "on" : "off") + after(data, "verified_by", ", verified by ")};
}

std::string address_in(const std::string& endpoint) {
  const auto bracket = endpoint.find(']');
  if (endpoint.starts_with('[') && bracket != std::string::npos) return endpoint.substr(1, bracket - 1);
  return endpoint.substr(0, endpoint.rfind(':'));
}

}  // namespace

std::string EventTexts::named(const std::string& endpoint) const {
  const auto found = names_.find(address_in(endpoint));
  return found == names_.end() ? endpoint : found->second + " (" + endpoint + ")";
}

EventText EventTexts::dns(const json& data) {
  const auto name = text_of(data, "name");
  const auto aim = data.value("redirected", false) ? ", asked of " + text_of(data, "aimed_at") : "";
  if (const auto problem = text_of(data, "problem"); !problem.empty())
    return {"dns", fmt::format("{}{}: {}", name.empty() ? "of " + text_of(data, "client") : name, aim, problem), true};
  for (const auto& address : data.value("addresses", json::array()))
    if (names_.size() < kMostNames || names_.contains(address)) names_[address] = name;
  const auto fate = text_of(data, "fate");
  const auto answer = fate == "answered" ? text_of(data, "answered") : fate == "silent" ? "no answer" : fate;
  return {"dns", fmt::format("{} {}{}: {}{}", name, text_of(data, "type"), aim, answer, after(data, "rule", " (", ")"))};
}

EventText EventTexts::ntp(const json& data) const {
  const auto aim = named(text_of(data, "aimed_at"));
  if (const auto problem = text_of(data, "problem"); !problem.empty()) return {"ntp", aim + ": " + problem, true};
  const auto fate = text_of(data, "fate");
  return {"ntp", aim + ": " + (fate == "answered" ? text_of(data, "answered") : fate == "silent" ? "no answer" : fate)};
}

EventText EventTexts::of(const std::string& kind, const json& data) {
  EventText made{kind, "", false};
  try {
    if (kind == "dhcp") made = dhcp_text(data);
    if (kind == "router") made = router_text(data);
    if (kind == "dns") made = dns(data);
    if (kind == "ntp") made = ntp(data);
    if (kind == "tls") made = tls_text(data);
    if (kind == "datagram_tls") made = datagram_text(data);
    if (kind == "clash") made = clash_text(data);
    if (kind == "carrier") made = carrier_text(data);
    if (kind == "change") made = change_text(data);
    if (kind == "power") made = power_text(data);
    if (kind == "scan") made.text = fmt::format("{} of {} begins", text_of(data, "what"), text_of(data, "address"));
    if (kind == "port") made.text = fmt::format("{} port {}: {}", text_of(data, "address"), data.at("port").dump(), text_of(data, "state"));
    if (kind == "open") made = {"up", "gateway " + text_of(data, "address") + after(data, "address6", ", ")};
    if (kind == "link") made.text = data.value("up", false) ? "the cable is plugged in" : "the cable is pulled";
  } catch (const json::exception&) {
    made = {kind, "", false};
  }
  if (made.text.empty()) made.text = data.dump(-1, ' ', false, json::error_handler_t::replace);
  if (made.text.size() > kMostOfALine) made.text = made.text.substr(0, kMostOfALine) + "...";
  return made;
}

}  // namespace hilcop
