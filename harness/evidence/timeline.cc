// SPDX-License-Identifier: Apache-2.0
#include "evidence/timeline.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "evidence/base64.h"
#include "evidence/event_socket.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr Nanoseconds kPairEvery = 10s;
constexpr Nanoseconds kWait = 50ms;

// What was sent and matched explains a run; the bytes themselves are in the recording. Thousands a second may come: writing them
// together takes no time from who waits for a prompt.
bool may_wait(const Event& event) { return event.kind == "console.match" || event.kind == "console.sent"; }

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

std::string host_name() {
  utsname name{};
  ::uname(&name);
  return name.nodename;
}

// Share of processor time that was not idle since the last call, 0..1 of all processors.
class CpuBusy {
 public:
  double since_last() {
    std::ifstream stat("/proc/stat");
    std::string cpu;
    double values[8] = {}, total = 0;
    stat >> cpu;
    for (auto& value : values) stat >> value, total += value;
    const double idle = values[3] + values[4];
    const double busy = total > total_ ? 1 - (idle - idle_) / (total - total_) : 0;
    total_ = total, idle_ = idle;
    return busy;
  }

 private:
  double total_ = 0, idle_ = 0;
};

class RealTimeline final : public Timeline {
 public:
  RealTimeline(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {
    if (!options_.file.empty()) {
      std::filesystem::create_directories(options_.file.parent_path());
      file_.reset(::open(options_.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
      if (!file_) throw error_from_errno(errno, "timeline " + options_.file.string(), "make");
    }
    if (!options_.socket.empty()) socket_ = std::make_unique<EventSocket>(options_.socket);
    emit(make_event(options_.writer, "timeline.open",
                    {{"host", host_name()}, {"boot_id", boot_id()}, {"pid", ::getpid()}, {"version", HILCOP_VERSION}}, clock_));
    busy_.since_last();
    pairs_ = std::thread([this] { write_pairs(); });
  }
  ~RealTimeline() override {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    pairs_.join();
    write_waiting();
    if (file_) ::fdatasync(file_.get());
  }

  void emit(Event event) override {
    std::function<void(const Event&)> callback;
    {
      const std::scoped_lock lock(mutex_);
      if (may_wait(event) && !callback_ && !(socket_ && socket_->has_readers())) {
        if (!file_) return;
        waiting_.push_back(std::move(event));
        if (waiting_.size() == 1) changed_.notify_all();
        return;
      }
      write_waiting();
      callback = callback_;
      const std::string line = line_of(event);
      if (file_) append(line);
      if (socket_) socket_->send(line);
    }
    if (callback) callback(event);
  }

  void console_bytes(const std::string& source, std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (!socket_ || !socket_->has_readers()) return;
    socket_->send(to_json(make_event(source, "console.bytes", {{"offset", offset}, {"base64", base64(bytes)}}, clock_)).dump() + "\n");
  }

  void on_event(std::function<void(const Event&)> callback) override {
    const std::scoped_lock lock(mutex_);
    callback_ = std::move(callback);
  }

  void check() override {
    const std::scoped_lock lock(mutex_);
    write_waiting();
    if (failure_) throw Error(*failure_);
  }

 private:
  // One write an event: what was emitted survives SIGKILL.
  void append(const std::string& line) {
    if (failure_) return;
    const auto n = ::write(file_.get(), line.data(), line.size());
    if (n != static_cast<ssize_t>(line.size()))
      failure_ = error_from_errno(n < 0 ? errno : ENOSPC, "timeline " + options_.file.string(), "write");
  }

  static std::string line_of(const Event& event) { return to_json(event).dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

  void write_waiting() {
    std::string lines;
    for (const auto& event : waiting_) lines += line_of(event);
    waiting_.clear();
    if (!lines.empty()) append(lines);
  }

  // Whoever may wait waits for 50 ms at most, and is written in its order.
  void write_pairs() {
    std::unique_lock lock(mutex_);
    auto next = clock_.now() + kPairEvery;
    while (!ending_) {
      changed_.wait_for(lock, next - clock_.now(), [this] { return ending_ || !waiting_.empty(); });
      if (changed_.wait_for(lock, waiting_.empty() ? 0ns : kWait, [this] { return ending_; })) return;
      write_waiting();
      if (clock_.now() < next) continue;
      next += kPairEvery;
      lock.unlock();
      const auto now = clock_.utc_now();
      emit(make_event(options_.writer, "clock.pair", {{"utc", to_iso8601(now)}}, clock_));
      double load = 0;
      std::ifstream("/proc/loadavg") >> load;
      emit(make_event(options_.writer, "host.load", {{"load1", load}, {"cpu_busy", busy_.since_last()}}, clock_));
      lock.lock();
    }
  }

  Options options_;
  const Clock& clock_;
  UniqueFd file_;
  std::unique_ptr<EventSocket> socket_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void(const Event&)> callback_;
  std::optional<Error> failure_;
  std::vector<Event> waiting_;
  CpuBusy busy_;
  bool ending_ = false;
  std::thread pairs_;
};

void read_file(const std::filesystem::path& path, TimelineRead& into) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorKind::NotFound, "timeline " + path.string(), "cannot be read");
  std::string line;
  while (std::getline(file, line)) {
    const bool whole = !file.eof();
    try {
      into.events.push_back(event_from_json(json::parse(line)));
    } catch (const json::exception&) {
      (whole ? into.damaged : into.torn).push_back(path.filename().string());
    }
  }
}

}  // namespace

json to_json(const Event& event) {
  return {{"steady_ns", to_ns(event.steady)},
          {"utc", to_iso8601(event.utc)},
          {"source", event.source},
          {"kind", event.kind},
          {"data", event.data}};
}

Event event_from_json(const json& value) {
  Event event;
  event.steady = from_ns(value.at("steady_ns").get<std::int64_t>());
  event.source = value.value("source", "");
  event.kind = value.value("kind", "");
  event.data = value.value("data", json::object());
  std::tm parts{};
  long nanoseconds = 0;
  const std::string utc = value.value("utc", "");
  if (const char* rest = ::strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%S", &parts); rest != nullptr && *rest == '.')
    nanoseconds = std::clamp(std::strtol(rest + 1, nullptr, 10), 0L, 999'999'999L);
  // A 64-bit count of nanoseconds ends in 2262.
  const auto seconds = std::clamp<std::int64_t>(::timegm(&parts), -9'000'000'000, 9'000'000'000);
  event.utc = UtcTime(Nanoseconds(seconds * 1'000'000'000 + nanoseconds));
  return event;
}

std::unique_ptr<Timeline> Timeline::open(Options options, const Clock& clock) {
  return std::make_unique<RealTimeline>(std::move(options), clock);
}

TimelineRead read_timeline(const std::filesystem::path& file_or_folder) {
  TimelineRead read;
  if (std::filesystem::is_directory(file_or_folder)) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(file_or_folder))
      if (entry.path().extension() == ".ndjson") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) read_file(file, read);
  } else {
    read_file(file_or_folder, read);
  }
  std::stable_sort(read.events.begin(), read.events.end(), [](const Event& a, const Event& b) { return a.steady < b.steady; });
  return read;
}

}  // namespace hilcop
