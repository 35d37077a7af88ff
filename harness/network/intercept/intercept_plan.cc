// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/intercept_plan.h"

#include <algorithm>
#include <utility>

namespace hilcop {

void InterceptPlan::set(const InterceptTarget& target, std::vector<InterceptCase> cases) {
  const std::scoped_lock lock(mutex_);
  rules_.erase(target);
  if (!cases.empty()) rules_[target] = {std::move(cases), {}};
}

void InterceptPlan::set_default(InterceptCase otherwise) {
  const std::scoped_lock lock(mutex_);
  otherwise_ = otherwise;
}

void InterceptPlan::clear() {
  const std::scoped_lock lock(mutex_);
  rules_.clear();
}

void InterceptPlan::set_answers(std::vector<InterceptAnswer> answers) {
  const std::scoped_lock lock(mutex_);
  answers_ = std::move(answers);
}

std::optional<PlannedAnswer> InterceptPlan::answer_to(const std::string& server_name, const TcpAddress& aimed_at,
                                                      std::string_view path) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& one : answers_)
    if (one.path == path && one.target.met_by(server_name, aimed_at)) return one.answer;
  return std::nullopt;
}

InterceptCase InterceptPlan::next(const std::string& server_name, const TcpAddress& aimed_at) {
  const auto precision = [](const InterceptTarget& target) {
    return std::tuple(!target.server_name.empty(), !target.address.empty(), target.port != 0);
  };
  const std::scoped_lock lock(mutex_);
  auto best = rules_.end();
  for (auto it = rules_.begin(); it != rules_.end(); ++it)
    if (it->first.met_by(server_name, aimed_at) && (best == rules_.end() || precision(it->first) > precision(best->first))) best = it;
  if (best == rules_.end()) return otherwise_;
  auto& [cases, come] = best->second;
  auto key = server_name.empty() ? aimed_at.text() : server_name;
  if (come.size() >= kMostNames && !come.contains(key)) key.clear();
  return cases[std::min(come[key]++, cases.size() - 1)];
}

}  // namespace hilcop
