// SPDX-License-Identifier: Apache-2.0
#include "updater.h"

#include <unistd.h>
#include <zlib.h>

#include <ctime>
#include <fstream>

#include "backoff.h"
#include "crypto.h"
#include "error.h"
#include "files.h"
#include "process.h"

namespace ht1 {
namespace {

using nlohmann::json;

bool content_holds(const UpdateMetadata& offered, const std::filesystem::path& file, const Flaws& flaws) {
  std::ifstream in(file, std::ios::binary);
  Digest digest;
  uLong crc = ::crc32(0, nullptr, 0);
  std::string piece(64 * 1024, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    const auto got = static_cast<std::size_t>(in.gcount());
    digest.add({piece.data(), got});
    crc = ::crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(got));
  }
  if (flaws.has("update-crc-only")) return offered.crc32 == static_cast<std::uint32_t>(crc);
  return to_hex(digest.finish()) == offered.sha256;
}

}  // namespace

Updater::Updater(Device& device, BootMarks& marks, std::function<void()> reboot)
    : device_(device), marks_(marks), reboot_(std::move(reboot)), https_(device.options, device.unit, stopping_) {}

Updater::~Updater() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void Updater::start() {
  thread_ = std::thread([this] { run(); });
}

void Updater::wake() {
  {
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  wake_.notify_all();
}

void Updater::check_now() {
  {
    const std::lock_guard lock(mutex_);
    check_asked_ = true;
  }
  wake_.notify_all();
}

void Updater::install_now() {
  {
    const std::lock_guard lock(mutex_);
    if (!available_) throw Refusal(409, "no update is known; look for one first");
    install_asked_ = true;
  }
  wake_.notify_all();
}

json Updater::status() const {
  const std::lock_guard lock(mutex_);
  json body = {{"state", state_}, {"available", nullptr}, {"security", false}};
  if (available_) body["available"] = available_->version, body["security"] = available_->security, body["notes"] = available_->notes;
  return body;
}

void Updater::say(const std::string& state) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
  }
  device_.services.console("update: " + state);
}

void Updater::run() {
  using Clock = std::chrono::steady_clock;
  const auto soon = [&](double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  // The recovery is there for nothing else.
  const bool recovery = device_.options.recovery();
  const double every = device_.options.update_every_s;
  Backoff again(5, 3600, device_.unit.flaws);
  const auto pause = [&] { return soon(recovery ? again.next_s() : every * (0.9 + 0.2 * random_fraction())); };
  // The first look some seconds after the start, not at the same one for all units; later ones once a period, give or take a tenth.
  auto next = soon(std::min(10.0, every / 10) * random_fraction());
  const auto waits = [&] { return !recovery && !device_.set_up(); };
  bool waiting_for_setup = waits();
  while (!stopping_) {
    bool install_asked = false, check_asked = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, waiting_for_setup ? soon(3600) : next,
                       [this] { return stopping_ || check_asked_ || install_asked_ || changed_; });
      install_asked = std::exchange(install_asked_, false), check_asked = std::exchange(check_asked_, false), changed_ = false;
    }
    if (stopping_) break;
    try {
      if (std::exchange(waiting_for_setup, waits()) && !waiting_for_setup) next = soon(std::min(10.0, every / 10) * random_fraction());
      if (waiting_for_setup) continue;
      // What is installed by hand is looked up anew, too: it may have been withdrawn, or have expired.
      const bool due = Clock::now() >= next;
      if (check_asked || install_asked || due) {
        next = pause();
        check();
        install_asked = install_asked || ((recovery || device_.settings().auto_update) && !was_tried());
      }
      if (install_asked) install();
    } catch (const std::exception& e) {
      say(std::string("failed: ") + e.what());
      device_.log.add("update-failed", e.what());
    }
  }
}

void Updater::check() {
  const auto reply = https_.get("https://" + device_.unit.updates + "/v1/update/" + device_.unit.model + ".json", 64 * 1024);
  if (reply.status == 404) {  // the maker has published nothing yet, or has taken it back
    const std::lock_guard lock(mutex_);
    available_.reset();
    return;
  }
  if (reply.status != 200) throw Failure("the update server answers " + std::to_string(reply.status));
  const auto offered = read_metadata(reply.body, read_file(device_.unit.file("update.pem")), device_.unit.flaws);
  const Running running{device_.unit.model, device_.options.recovery() ? "0" : device_.options.version, marks_.min_version(),
                        std::time(nullptr)};
  const bool is_new = is_update(offered, running, device_.unit.flaws);
  const std::lock_guard lock(mutex_);
  if (is_new && (!available_ || available_->version != offered.version)) device_.log.add("update-available", offered.version);
  available_ = is_new ? std::optional(offered) : std::nullopt;
  state_ = "idle";
}

void Updater::load(const UpdateMetadata& offered, const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  for (const auto& other : std::filesystem::directory_iterator(file.parent_path()))
    if (other.path() != file) std::filesystem::remove(other.path());
  // One that RAUC had taken when the power went is not the daemon's to write any more.
  if (std::filesystem::exists(file) && ::access(file.c_str(), W_OK) != 0) std::filesystem::remove(file);
  Backoff backoff(1, 60, device_.unit.flaws);
  for (int tries = 0;; ++tries) {
    std::string why;
    try {
      const long status = https_.download(offered.url, file, offered.size);
      if (status != 200 && status != 206) why = "the update server answers " + std::to_string(status);
      std::error_code none;
      if (why.empty() && std::filesystem::file_size(file, none) != offered.size) why = "the bundle is shorter than was said";
    } catch (const Failure& e) {
      why = e.what();
    }
    if (why.empty() && !content_holds(offered, file, device_.unit.flaws)) {
      why = "the bundle is not the one that was signed";
      std::filesystem::remove(file);  // what was resumed may have been spoilt: once more from the start
    }
    if (why.empty()) return;
    if (tries >= 5 || stopping_) throw Failure(why);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::duration<double>(backoff.next_s()), [this] { return stopping_.load(); });
  }
}

// What was installed and did not come up is not installed again by itself, nor is what the installer has refused.
bool Updater::was_tried() const {
  const std::lock_guard lock(mutex_);
  if (!available_) return false;
  if (available_->sha256 == refused_) return true;
  return device_.options.recovery() ? marks_.recovered() == available_->version : device_.record("tried") == json(available_->version);
}

bool Updater::busy() const {
  const std::lock_guard lock(mutex_);
  return state_ == "downloading" || state_ == "installing" || state_ == "reboot";
}

void Updater::install() {
  std::optional<UpdateMetadata> offered;
  {
    const std::lock_guard lock(mutex_);
    offered = available_;
  }
  if (!offered) return;
  const auto file = device_.options.data / "download" / (offered->sha256.substr(0, 16) + ".raucb");
  say("downloading");
  load(*offered, file);
  say("installing");
  device_.log.add("update-started", offered->version);
  {
    const std::lock_guard lock(device_.mutex);
    if (device_.erasing) throw Failure("a factory reset has begun");
  }
  // From the first good start of the new version on, nothing older than this is taken.
  marks_.promise_min_version(offered->min_version);
  const auto ended = run_program({device_.options.rauc, "install", file}, std::chrono::seconds(600), &stopping_);
  std::filesystem::remove(file);
  if (ended.status == 1) {
    const std::lock_guard lock(mutex_);
    refused_ = offered->sha256;
  }
  if (ended.status != 0) {
    const auto text = ended.output.substr(std::min(ended.output.size(), ended.output.find_last_of('\n', ended.output.size() - 2) + 1));
    throw Failure("the installer refuses it (status " + std::to_string(ended.status) + "): " + text);
  }
  if (device_.options.recovery()) {
    marks_.note_recovered(offered->version);
  } else {
    const std::lock_guard lock(device_.mutex);
    if (!device_.erasing) device_.store.put("tried", json(offered->version).dump());
  }
  device_.log.add("update-installed", offered->version);
  say("reboot");
  reboot_();
}

}  // namespace ht1
