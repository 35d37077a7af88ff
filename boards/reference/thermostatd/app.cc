// SPDX-License-Identifier: Apache-2.0
#include "app.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "api.h"
#include "error.h"
#include "files.h"
#include "steady.h"
#include "version.h"

namespace ht1 {
namespace {

constexpr double kApiMayTake = 30;
constexpr int kExitStuck = 70;
constexpr int kSilentAtMostS = 10;  // then the watchdog starts the device anew

Unit unit_of(const Options& options) { return read_unit(options.factory, options.fuses); }

// Not closed by "V": a daemon that ends for good is no sign of life either.
template <class Say>
Fd open_watchdog(const Options& options, const Flaws& flaws, const Say& say) {
  if (options.watchdog.empty() || flaws.has("watchdog-off") || flaws.has("hang-on-long-name")) return Fd();
  Fd device(::open(options.watchdog.c_str(), O_WRONLY | O_CLOEXEC));
  int limit = kSilentAtMostS;
  if (!device || ::ioctl(device.get(), WDIOC_SETTIMEOUT, &limit) != 0)  // it heats without one too
    say("watchdog " + options.watchdog.string() + ": " + std::strerror(errno) + "; is its module loaded, and is it the daemon's to open?");
  return device;
}

Options prepared(Options options) {
  std::filesystem::create_directories(options.data);
  return options;
}

}  // namespace

App::App(Options options) : device_(prepared(options), unit_of(options), steady_s), marks_(device_.options), api_seen_alive_(steady_s()) {}

App::~App() {
  server_.reset();
  plain_.reset();
}

void App::say(const std::string& line) {
  const std::lock_guard lock(console_);
  const std::string whole = "HT-1: " + line + "\n";
  const auto& file = device_.options.console;
  const Fd opened(file.empty() ? -1 : ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
  const int fd = file.empty() ? STDOUT_FILENO : opened.get();
  pollfd console{fd, POLLOUT, 0};
  if (::poll(&console, 1, 200) <= 0) return;                // somebody holds it up: the device goes on
  if (::write(fd, whole.data(), whole.size()) < 0) return;  // no console: the device works without
}

void App::notify(bool& what) {
  {
    const std::lock_guard lock(mutex_);
    what = true;
  }
  wake_.notify_all();
}

// Once a second by the control loop. A stuck API is ended: what starts the daemon starts it again, or the watchdog starts the device.
void App::keep_alive() {
  if (device_.unit.flaws.has("hang-on-long-name")) return;
  // A lock that is busy is not stuck while calls come to their end.
  const bool free = device_.mutex.try_lock();
  if (free) device_.mutex.unlock();
  if (const unsigned ended = device_.calls_ended; free || ended != std::exchange(calls_seen_, ended)) api_seen_alive_ = steady_s();
  if (steady_s() - api_seen_alive_ > kApiMayTake) {
    say("API stuck, starting anew");
    ::_exit(kExitStuck);
  }
  if (watchdog_ && ::write(watchdog_.get(), "1", 1) < 0) say("the watchdog takes no sign of life");
}

void App::start() {
  auto& options = device_.options;
  device_.services.console = [this](const std::string& line) { say(line); };
  device_.log.add("start", "version " + options.version + " slot " + options.slot);
  // Left by the start that zeroed the partition, the log included.
  if (const auto note = options.data / "was-reset"; std::filesystem::exists(note)) {
    device_.log.add("factory-reset");
    remove_durably(note);
  }
  if (device_.unit.flaws.has("mark-good-early")) marks_.mark_good();
  pins_ = std::make_unique<Pins>(options.pins, options.button_hold_ms / 1000.0, [this] {
    device_.log.add("reset-by-button");
    notify(reset_);
  });
  heating_ = std::make_unique<Heating>([this](bool on) { pins_->led(on); }, [this] { keep_alive(); });
  device_.heating = heating_.get();
  cloud_ = std::make_unique<Cloud>(device_);
  updater_ = std::make_unique<Updater>(device_, marks_, [this] { notify(reboot_); });

  if (options.recovery()) return start_recovery();
  if (compare_versions(options.version, marks_.min_version()).value_or(-1) < 0) {
    say("version " + options.version + " is older than " + marks_.min_version() + ", below which this device never goes");
    device_.log.add("version-refused", options.version);
    marks_.give_up();
    return notify(reboot_);
  }
  if (reset_goes_on()) return notify(reboot_);
  if (const auto kept = device_.record("schedule"); kept.is_array()) heating_->set_schedule(schedule_from_json(kept));
  if (const auto kept = device_.record("target"); kept.is_object())
    heating_->set_target(kept.value("celsius", Heating::kTargetOfNew), std::time(nullptr) / 60 - kept.value("minute", 0L));
  // From here on there is a sign of life every second; a factory reset before it may take its time.
  watchdog_ = open_watchdog(options, device_.unit.flaws, [this](const std::string& line) { say(line); });
  heating_->start();
  pins_->start();

  device_.services.cloud_state = [this] { return cloud_->state(); };
  device_.services.update_status = [this] { return updater_->status(); };
  device_.services.check_update = [this] { updater_->check_now(); };
  device_.services.install_update = [this] { updater_->install_now(); };
  device_.services.factory_reset = [this] { notify(reset_); };
  device_.services.settings_changed = [this] {
    cloud_->wake();
    updater_->wake();
  };
  serve();
  cloud_->start();
  updater_->start();

  self_check(options, device_.unit, port());
  marks_.accept(options.version);
  if (!options.ready.empty()) write_file(options.ready, std::to_string(port()) + "\n");
  say("READY version " + options.version + " slot " + options.slot);
}

// No API: nothing is served that a slot's software does not serve. The newest signed image is taken from the maker; a reset is asked for on
// flash and done by the next start, which also makes a broken data partition anew.
void App::start_recovery() {
  if (reset_goes_on()) return notify(reboot_);
  watchdog_ = open_watchdog(device_.options, device_.unit.flaws, [this](const std::string& line) { say(line); });
  pins_->start();
  updater_->start();
}

// A reset that was asked for by recovery or the console, or was cut off. True: it ends with the next start.
bool App::reset_goes_on() {
  if (!marks_.reset_asked()) return false;
  say("factory reset goes on");
  return erase();
}

bool App::erase() {
  const bool restart = factory_reset(device_, marks_, [this] { return cloud_->erase(); });
  say(restart ? "owner's data erased" : "factory reset done");
  return restart;
}

void App::serve() {
  const auto& options = device_.options;
  const auto& unit = device_.unit;
  const auto handler = [this](const HttpRequest& request) { return answer_call(device_, request); };
  HttpSettings settings{.address = options.address, .port = options.port};
  settings.key = unit.flaws.has("key-in-image") ? read_file("/etc/tls.key") : unit.private_key("tls.key");
  settings.certificate = read_file(unit.file("tls.crt"));
  settings.old_tls = unit.flaws.has("tls-1.0");
  server_ = std::make_unique<HttpServer>(settings, handler);
  if (unit.flaws.has("login-in-clear"))
    plain_ = std::make_unique<HttpServer>(HttpSettings{.address = options.address, .port = options.plain_port}, handler);
  if (unit.flaws.has("undeclared-udp")) udp_ = std::make_unique<UdpEcho>(options.address, options.udp_port, "HT-1 " + unit.serial);
}

App::End App::wait() {
  std::unique_lock lock(mutex_);
  const auto asked = [this] { return stop_ || reboot_ || reset_; };
  if (device_.options.recovery()) {  // there is no control loop that gives signs of life
    const double since = steady_s();
    while (!wake_.wait_for(lock, std::chrono::seconds(1), asked)) {
      keep_alive();
      if (steady_s() - since < device_.options.recovery_patience_s || updater_->busy()) continue;
      say("no update to be had: the slots are tried again");
      marks_.give_tries();
      return End::Reboot;
    }
  }
  wake_.wait(lock, asked);
  if (stop_) return End::Stopped;
  if (!reset_) return End::Reboot;
  lock.unlock();
  if (device_.options.recovery()) {
    say("factory reset at the next start");
    marks_.ask_reset();
    return End::Reboot;
  }
  say("factory reset");
  erase();
  return End::Reboot;
}

void App::stop() { notify(stop_); }

}  // namespace ht1
