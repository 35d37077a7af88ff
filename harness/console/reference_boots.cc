// SPDX-License-Identifier: Apache-2.0
#include "console/reference_boots.h"

#include <algorithm>

#include <fmt/format.h>

namespace hilcop {
namespace {

std::vector<std::string> noise_of(std::span<const BootLog> boots) {
  return boots.empty() ? std::vector<std::string>{} : boots.front().noise;
}

// What a line surely said before it was cut off: its last word may go on.
std::string sure_part(const std::string& cut) {
  const auto blank = cut.rfind(' ');
  return blank == std::string::npos ? cut : cut.substr(0, blank);
}

// Whether a line that was cut off may have been this one. A word in letters alone is part of no mask: it says what it says.
bool may_become(const std::string& cut, const std::string& line) {
  if (line.starts_with(cut)) return true;
  const auto sure = sure_part(cut);
  return cut.find_first_of("0123456789", sure.size()) != std::string::npos && line.starts_with(sure);
}

bool early(const BootLog& boot, const BootLine& line) { return boot.complete() && line.span.begin < boot.stages.back().span.end; }

}  // namespace

ReferenceBoots::ReferenceBoots(std::span<const BootLog> boots) : noise_(noise_of(boots)) {
  std::vector<std::size_t> sound;
  for (std::size_t i = 0; i < boots.size(); ++i) {
    const auto doubt = boots[i].doubt();
    if (doubt.empty())
      sound.push_back(i);
    else
      left_out_.push_back(fmt::format("boot {} of {}: {}", boots[i].number, boots[i].dut, doubt));
  }
  std::vector<std::set<std::string>> normals;
  for (const auto i : sound) {
    auto& set = normals.emplace_back();
    for (const auto& line : boots[i].lines)
      if (line.compared || (line.whole && line.kernel)) set.insert(form(boots[i], line));
  }
  learned_ = LearnedNoise(normals);
  boots_ = sound.size();
  for (const auto i : sound) {
    know(boots[i], i);
    identities_.insert({boots[i].dut, boots[i].begin});
    watched_ = std::max(watched_, boots[i].watched_after_ready());
  }
  lines_ = static_cast<std::size_t>(std::count_if(known_.begin(), known_.end(), [](const auto& entry) { return entry.second.compared; }));
}

// The boot's own normal text serves where its noise is this reference's.
std::string ReferenceBoots::form(const BootLog& boot, const BootLine& line) const {
  return learned_.masked(boot.noise == noise_.patterns() ? line.normal : noise_.normal(line.text));
}

void ReferenceBoots::know(const BootLog& boot, std::size_t number) {
  std::map<std::string, std::size_t> times;
  std::map<std::string, std::size_t> early_here;
  for (const auto& line : boot.lines) {
    const auto name = form(boot, line);
    if (!line.whole) {
      if (line.compared) cut_.insert(name);
      continue;
    }
    auto& known = known_[name];
    if (times.try_emplace(name).second) ++known.in_boots;
    if (!line.compared && !line.kernel) continue;
    known.compared = true;
    if (line.compared && ++times[name] > 1) known.repeats = true;
    if (!early(boot, line)) continue;
    const auto here = ++early_here[name];
    if (here == 2) ++known.early_repeats;
    if (here == 1 && ++known.early_in_boots == 1) known.early = line, known.boot = number;
  }
}

// What comes after the last stage comes when it comes: a reference that was not watched for long enough knows nothing of it.
bool ReferenceBoots::watched(const BootLog& boot, const BootLine& line) const {
  return line.since_power_on >= Nanoseconds{} && 2 * (line.since_power_on - boot.stages.back().since_power_on) <= watched_;
}

bool ReferenceBoots::looked_at(const BootLog& boot, const BootLine& line) const {
  return line.compared && (!boot.complete() || early(boot, line) || watched(boot, line));
}

std::size_t ReferenceBoots::compared(const BootLog& boot) const {
  return static_cast<std::size_t>(
      std::count_if(boot.lines.begin(), boot.lines.end(), [&](const BootLine& line) { return looked_at(boot, line); }));
}

bool ReferenceBoots::begins_a_known(const std::string& cut) const {
  if (cut_.contains(cut)) return true;
  const auto sure = sure_part(cut);
  for (auto known = known_.lower_bound(sure); known != known_.end() && known->first.starts_with(sure); ++known)
    if (known->second.compared) return true;
  return false;
}

std::vector<ReferenceBoots::New> ReferenceBoots::not_in(const BootLog& boot) const {
  std::vector<New> found;
  std::map<std::string, std::size_t> places;  // form -> index in found
  for (std::size_t i = 0; i < boot.lines.size(); ++i) {
    const auto& line = boot.lines[i];
    if (!looked_at(boot, line)) continue;
    auto name = form(boot, line);
    if (!line.whole && begins_a_known(name)) continue;
    const auto [place, fresh] = places.try_emplace(name, found.size());
    if (fresh) found.push_back({i, 0, false, std::move(name)});
    ++found[place->second].times;
  }
  std::erase_if(found, [this](New& one) {
    if (cut_.contains(one.form)) return true;  // whole but for its end
    const auto known = known_.find(one.form);
    if (known == known_.end() || !known->second.compared) return false;
    one.more_often = one.times > 1 && !known->second.repeats;
    return !one.more_often;
  });
  return found;
}

std::vector<ReferenceBoots::Missing> ReferenceBoots::missing_from(const BootLog& boot) const {
  std::map<std::string, std::size_t> there;
  std::vector<std::string> cut;
  for (const auto& line : boot.lines)
    if (line.whole)
      ++there[form(boot, line)];
    else
      cut.push_back(form(boot, line));
  std::vector<Missing> found;
  for (const auto& [name, known] : known_) {
    if (boots_ == 0 || known.early_in_boots < boots_) continue;
    const auto here = there.find(name);
    const bool less_often = here != there.end() && here->second == 1 && known.early_repeats == boots_;
    if (here != there.end() && !less_often) continue;
    const auto begun = std::find_if(cut.begin(), cut.end(), [&text = name](const auto& begin) { return may_become(begin, text); });
    if (begun != cut.end())
      cut.erase(begun);  // it was on its way, and stands for one line
    else
      found.push_back({known.early, known.boot, known.in_boots, less_often, name});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.line.span.begin < b.line.span.begin; });
  return found;
}

std::vector<ReferenceBoots::Missing> ReferenceBoots::sometimes() const {
  std::vector<Missing> found;
  for (const auto& [name, known] : known_)
    if (known.early_in_boots > 0 && known.in_boots < boots_) found.push_back({known.early, known.boot, known.in_boots, false, name});
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.line.span.begin < b.line.span.begin; });
  return found;
}

bool ReferenceBoots::would_find(const std::string& text) const {
  BootLog boot;
  boot.noise = noise_.patterns();
  BootLine line;
  line.text = boot_text(text);
  line.normal = noise_.normal(line.text);
  boot.lines.push_back(line);
  return not_in(boot).size() == 1;
}

}  // namespace hilcop
