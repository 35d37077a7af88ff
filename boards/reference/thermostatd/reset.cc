// SPDX-License-Identifier: Apache-2.0
#include "reset.h"

#include "error.h"
#include "files.h"
#include "version.h"

namespace ht1 {
namespace {

// Of the data folder these outlast a reset: they are nobody's data, and the throttle of the console must not be had by a reset.
bool outlasts(const std::filesystem::path& name) {
  return name == "console-failures" || name == "sealed" || name == "lost+found" || name.string().starts_with("boot-");
}

void remove_tree(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(std::filesystem::symlink_status(path))) return overwrite_and_remove(path);
  if (std::filesystem::is_directory(std::filesystem::symlink_status(path)))
    for (const auto& entry : std::filesystem::directory_iterator(path)) remove_tree(entry.path());
  std::filesystem::remove(path);
}

}  // namespace

std::string BootMarks::get(const std::string& name, const std::string& usual) const {
  if (!state_) return read_if_there(options_.data / ("boot-" + name)).value_or(usual);
  const auto variables = state_->read();
  const auto found = variables.find(name);
  return found == variables.end() || found->second.empty() ? usual : found->second;
}

void BootMarks::set(const std::string& name, const std::string& value) {
  if (state_)
    state_->change([&](Variables& v) { v[name] = value; });
  else
    write_file(options_.data / ("boot-" + name), value);
}

bool BootMarks::reset_asked() const { return get("RESET", "0") == "1"; }
void BootMarks::ask_reset() { set("RESET", "1"); }

void BootMarks::end_reset(bool zero) { set("RESET", zero ? "2" : "0"); }

std::string BootMarks::min_version() const { return get("MIN_VERSION", "0"); }

void BootMarks::raise_min_version(const std::string& version) {
  if (compare_versions(version, min_version()).value_or(-1) > 0) set("MIN_VERSION", version);
}

void BootMarks::promise_min_version(const std::string& least) {
  if (compare_versions(least, get("NEXT_MIN", "0")).value_or(-1) > 0) set("NEXT_MIN", least);
}

void BootMarks::accept(const std::string& version) {
  mark_good();
  // Not for a version that is itself too old: it came back because the newer one did not start.
  const auto least = get("NEXT_MIN", "0");
  if (compare_versions(version, least).value_or(-1) >= 0) raise_min_version(least);
  if (recovered() != "0") note_recovered("0");
}

std::string BootMarks::recovered() const { return get("RECOVERED", "0"); }
void BootMarks::note_recovered(const std::string& version) { set("RECOVERED", version); }

void BootMarks::mark_good() {
  if (state_ && (options_.slot == "A" || options_.slot == "B")) state_->mark_good(options_.slot);
}

void BootMarks::give_up() {
  if (state_) state_->change([&](Variables& v) { v["BOOT_" + options_.slot + "_LEFT"] = "0"; });
}

void BootMarks::give_tries() {
  if (state_) state_->change([](Variables& v) { v["BOOT_A_LEFT"] = v["BOOT_B_LEFT"] = "3"; });
}

bool factory_reset(Device& device, BootMarks& marks, const std::function<bool()>& forget_cloud,
                   const std::function<void(const std::string&)>& step) {
  {
    const std::lock_guard lock(device.mutex);
    device.erasing = true;
  }
  const auto& flaws = device.unit.flaws;
  if (!flaws.has("wipe-half")) marks.ask_reset();
  const bool forgotten = forget_cloud();
  const std::lock_guard lock(device.mutex);
  std::string left;
  const auto erase = [&](const std::function<void()>& part) {  // what cannot be erased keeps nothing else from it
    try {
      part();
    } catch (const std::exception& e) {
      left = e.what();
    }
  };
  erase([&] { device.store.erase(step); });
  erase([&] { device.log.erase(); });
  for (const auto& entry : std::filesystem::directory_iterator(device.options.data))
    if (!outlasts(entry.path().filename())) erase([&] { remove_tree(entry.path()); });
  sync_folder(device.options.data);
  device.forget();
  const bool zeroed = marks.can_zero() && !flaws.has("wipe-half") && !flaws.has("wipe-keeps-token") && !flaws.has("wipe-unlinks");
  if (!left.empty() && !zeroed) throw Failure("factory reset: " + left + "; it goes on at the next start");
  device.log.add("factory-reset", forgotten ? "" : "the cloud was not reached: its copy ends with the next set-up or by request");
  marks.end_reset(zeroed);
  device.erasing = zeroed;
  return zeroed;
}

}  // namespace ht1
