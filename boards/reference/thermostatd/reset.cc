// SPDX-License-Identifier: Apache-2.0
#include "reset.h"

#include "files.h"
#include "version.h"

namespace ht1 {
namespace {

// Of the data folder these outlast a reset: they are nobody's data, and the throttle of the console must not be had by a reset.
bool outlasts(const std::filesystem::path& name) {
  return name == "console-failures" || name == "sealed" || name == "lost+found" || name == "reset-asked";
}

void remove_tree(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(std::filesystem::symlink_status(path))) return overwrite_and_remove(path);
  if (std::filesystem::is_directory(std::filesystem::symlink_status(path)))
    for (const auto& entry : std::filesystem::directory_iterator(path)) remove_tree(entry.path());
  std::filesystem::remove(path);
}

}  // namespace

bool BootMarks::reset_asked() const {
  if (!state_) return std::filesystem::exists(options_.data / "reset-asked");
  auto variables = state_->read();
  return variables["RESET"] == "1";
}

void BootMarks::ask_reset(bool asked) {
  if (state_)
    state_->change([&](Variables& v) { v["RESET"] = asked ? "1" : "0"; });
  else if (asked)
    write_file(options_.data / "reset-asked", "1");
  else
    remove_durably(options_.data / "reset-asked");
}

std::string BootMarks::min_version() const {
  if (!state_) return read_if_there(options_.data / "min-version").value_or("0");
  return state_->read()["MIN_VERSION"];
}

void BootMarks::raise_min_version(const std::string& version) {
  if (compare_versions(version, min_version()).value_or(-1) <= 0) return;
  if (state_)
    state_->change([&](Variables& v) { v["MIN_VERSION"] = version; });
  else
    write_file(options_.data / "min-version", version);
}

void BootMarks::mark_good() {
  if (state_ && (options_.slot == "A" || options_.slot == "B")) state_->mark_good(options_.slot);
}

void BootMarks::give_up() {
  if (state_) state_->change([&](Variables& v) { v["BOOT_" + options_.slot + "_LEFT"] = "0"; });
}

void BootMarks::give_tries() {
  if (state_) state_->change([](Variables& v) { v["BOOT_A_LEFT"] = v["BOOT_B_LEFT"] = "3"; });
}

void factory_reset(Device& device, BootMarks& marks, const std::function<bool()>& forget_cloud,
                   const std::function<void(const std::string&)>& step) {
  {
    const std::lock_guard lock(device.mutex);
    device.erasing = true;
  }
  if (!device.unit.flaws.has("wipe-half")) marks.ask_reset(true);
  const bool forgotten = forget_cloud();
  const std::lock_guard lock(device.mutex);
  device.store.erase(step);
  device.log.erase();
  for (const auto& entry : std::filesystem::directory_iterator(device.options.data))
    if (!outlasts(entry.path().filename()) && entry.path().filename() != "min-version") remove_tree(entry.path());
  sync_folder(device.options.data);
  device.forget();
  device.log.add("factory-reset", forgotten ? "" : "the cloud was not reached: its copy ends with the next set-up or by request");
  marks.ask_reset(false);
  device.erasing = false;
}

}  // namespace ht1
