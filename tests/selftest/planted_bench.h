// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/mman.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "fakes/memory_sink.h"
#include "fakes/temp_dir.h"
#include "io/block_device.h"
#include "io/socket_stream.h"
#include "io/unix_socket.h"
#include "keeper/server.h"
#include "selftest/arrivals.h"

namespace hilcop {

/// Contacts that the keeper's process switches and the devices of the test's process feel.
struct Contacts {
  struct One {
    std::atomic<bool> on{false}, reads_back{true}, lies{false}, refuses{false};
    std::atomic<bool> welded{false};  // as an input at the first one's far side sees it
    std::atomic<int> slow_ms{0};      // before it switches
    std::atomic<int> count_of_delays{0};
    std::array<std::atomic<int>, 16> delays_ms{};  // how late the n-th switching shows at its far side
    std::atomic<std::int64_t> changed_ns{0};
    std::atomic<int> switched{0}, changes{0};  // changes: odd in the middle of one

    struct Look {
      bool on = false;
      SteadyTime changed;
      int switched = 0;
    };
    /// All of one moment: half of a change is a contact that never was.
    Look look() const {
      while (true) {
        const int before = changes;
        const Look seen{on, from_ns(changed_ns), switched};
        if (before % 2 == 0 && changes == before) return seen;
      }
    }
    void shows_late(const std::vector<int>& delays) {
      std::copy(delays.begin(), delays.end(), delays_ms.begin());
      count_of_delays = static_cast<int>(delays.size());
    }
    /// What stands at its far side: the supply's current, or an input.
    bool shows() const {
      if (welded) return true;
      const auto seen = look();
      if (count_of_delays == 0) return seen.on;
      const auto delay = delays_ms.at(static_cast<std::size_t>(seen.switched / 2 % count_of_delays)).load();
      const bool felt = real_clock().now() - seen.changed >= std::chrono::milliseconds(delay);
      return seen.switched > 0 && seen.on == felt;
    }
  };
  std::array<One, 4> all;
};
inline Contacts*& contacts() {
  static Contacts* shared = nullptr;
  return shared;
}

class PlantedRelay final : public Instrument {
 public:
  std::vector<Channel> channels() const override {
    return {{"0", ChannelKind::Power, ""}, {"1", ChannelKind::Power, ""},     {"2", ChannelKind::Power, ""},
            {"3", ChannelKind::Power, ""}, {"sense", ChannelKind::Input, ""}, {"amps", ChannelKind::Meter, ""}};
  }
  SwitchResult set(const std::string& channel, bool on, const nlohmann::json&, Deadline) override {
    auto& contact = contacts()->all.at(std::stoul(channel));
    if (contact.refuses) throw Error(ErrorKind::Protocol, "planted relay", "refuses to switch", "mend it");
    SwitchResult result;
    result.commanded = real_clock().now();
    if (contact.slow_ms > 0) real_clock().sleep_until(result.commanded + std::chrono::milliseconds(contact.slow_ms.load()));
    ++contact.changes;
    if (contact.on != on) contact.changed_ns = to_ns(result.commanded);
    contact.on = on;
    ++contact.switched;
    ++contact.changes;
    result.acknowledged = real_clock().now();
    result.read_back = get(channel, Deadline::in(1s));
    return result;
  }
  std::optional<bool> get(const std::string& channel, Deadline) override {
    if (channel == "sense") return contacts()->all[0].shows();
    auto& contact = contacts()->all.at(std::stoul(channel));
    if (!contact.reads_back) return std::nullopt;
    return contact.lies || contact.on;
  }
  Reading measure(const std::string&, Deadline) override { return {contacts()->all[0].shows() ? 0.21 : 0.003, "A", real_clock().now()}; }
};

/// A device on a console (a unix socket) that gets and loses its power late. Behaviour may change at any time.
class PlantedDevice {
 public:
  /// Slow: a byte at once, then one every 2 s. Once: a byte at once, then nothing. Interpreter: "=> ", and it joins "a""b". Parrot:
  /// "=> ", and it carries out nothing.
  enum class Manner { Talks, Echoes, Mute, Slow, Once, Interpreter, Parrot };

  PlantedDevice(std::filesystem::path socket, int contact)
      : contact_(contact), socket_(std::move(socket)), listener_(listen_unix(socket_)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { live(stop); });
  }

  std::atomic<int> contact_;  // -1: nothing powers it
  std::atomic<Manner> manner_{Manner::Talks};
  std::atomic<bool> stuck_{false};
  std::atomic<bool> welds_{false};  // stuck from the first on
  /// Its line is not there for so long after each off, in milliseconds.
  std::atomic<int> line_lost_ms_{0};
  /// How late the n-th switching reaches it, in milliseconds; empty: at once.
  std::vector<int> delays_ms_;
  std::atomic<int> keeps_power_ms_{0};  // longer, after off
  /// How much later than planted it showed a switching at most, because this host had no time for it.
  std::atomic<std::int64_t> latest_ns_{0};

  bool powered() const {
    if (stuck_ || welded_) return true;
    const int number = contact_;
    if (number < 0) return false;
    const auto contact = contacts()->all.at(static_cast<std::size_t>(number)).look();
    const auto delay = delays_ms_.empty() ? 0 : delays_ms_.at(static_cast<std::size_t>(contact.switched) / 2 % delays_ms_.size());
    const auto since = real_clock().now() - contact.changed;
    if (!contact.on && since < std::chrono::milliseconds(keeps_power_ms_.load())) return true;
    const bool felt = since >= std::chrono::milliseconds(delay);
    return contact.switched > 0 && contact.on == felt;
  }

 private:
  void live(const std::stop_token& stop) {
    std::unique_ptr<ByteStream> line;
    while (!stop.stop_requested()) {
      real_clock().sleep_until(real_clock().now() + 500us);
      try {
        if (welds_ && powered()) welded_ = true;
        if (line_is_lost()) {
          line.reset(), listener_.reset();
          continue;
        }
        if (!listener_) listener_ = listen_unix(socket_);
        if (auto fd = accept_unix(listener_.get())) line = make_socket_stream(std::move(*fd), "device");
        if (line) speak(*line);
      } catch (const Error&) {
        line.reset();
      }
    }
  }
  void note_lateness() {
    if (contact_ < 0 || delays_ms_.empty()) return;
    const auto contact = contacts()->all.at(static_cast<std::size_t>(contact_)).look();
    const auto delay = delays_ms_.at(static_cast<std::size_t>(contact.switched) / 2 % delays_ms_.size());
    const auto late = real_clock().now() - contact.changed - std::chrono::milliseconds(delay);
    if (late.count() > latest_ns_) latest_ns_ = late.count();
  }
  bool line_is_lost() const {
    const int number = contact_;
    if (number < 0 || line_lost_ms_ == 0) return false;
    const auto contact = contacts()->all.at(static_cast<std::size_t>(number)).look();
    return contact.switched > 0 && !contact.on && real_clock().now() - contact.changed < std::chrono::milliseconds(line_lost_ms_.load());
  }
  void speak(ByteStream& line) {
    std::array<std::byte, 256> heard{};
    const auto count = line.read_some(heard);
    const auto now = real_clock().now();
    const bool on = powered();
    if (on != said_hello_) note_lateness();
    if (!on) {
      said_hello_ = false;
      return;
    }
    const bool first = !std::exchange(said_hello_, true);
    if (manner_ == Manner::Interpreter || manner_ == Manner::Parrot) return converse(line, std::span(heard).first(count), first);
    if (manner_ == Manner::Echoes && count > 0) line.write_some(std::span(heard).first(count));
    if (manner_ == Manner::Talks || (manner_ != Manner::Mute && first) || (manner_ == Manner::Slow && now >= said_at_ + 2s)) {
      line.write_some(std::as_bytes(std::span("x", 1)));
      said_at_ = now;
    }
  }

  void converse(ByteStream& line, std::span<const std::byte> heard, bool first) {
    std::string says = first ? "\r\n=> " : "";
    for (const auto byte : heard) {
      const char c = static_cast<char>(byte);
      if (c != '\r' && c != '\n' && c != '\x03') {
        typed_ += c, says += c;
        continue;
      }
      if (const auto quotes = typed_.find("\"\""); quotes != std::string::npos && manner_ == Manner::Interpreter && c != '\x03')
        says += "\r\n" + typed_.erase(quotes, 2);
      says += "\r\n=> ";
      typed_.clear();
    }
    if (!says.empty()) line.write_some(std::as_bytes(std::span(says)));
  }

  const std::filesystem::path socket_;
  UniqueFd listener_;
  std::atomic<bool> welded_{false};
  bool said_hello_ = false;
  std::string typed_;
  SteadyTime said_at_;
  std::jthread thread_;
};

class PlantedDisk final : public BlockDevice {
 public:
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return 4096; }
  std::size_t block_size() const override { return 512; }
  void write_at(std::uint64_t, std::span<const std::byte>) override { ADD_FAILURE() << "a self-test writes nothing"; }
  void read_at(std::uint64_t, std::span<std::byte>) override { ADD_FAILURE() << "a self-test reads nothing"; }
  void sync() override {}

 private:
  std::string name_ = "planted disk";
};

/// Two DUTs, "a" on contact 0 and "b" on contact 1, and a keeper in a process of its own.
class PlantedBench : public testing::Test {
 protected:
  void SetUp() override {
    void* shared = ::mmap(nullptr, sizeof(Contacts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(shared, MAP_FAILED);
    contacts() = new (shared) Contacts;
    ::setenv("HILCOP_STATE_DIR", (dir_ / "state").c_str(), 1);
    ::setenv("HILCOP_RUNTIME_DIR", (dir_ / "runtime").c_str(), 1);
    keeper_ = ::fork();
    if (keeper_ == 0) {
      KeeperOptions options;
      options.socket = dir_ / "keeper.sock";
      options.journal = dir_ / "journal";
      options.idle_end = 120s;
      ::_exit(serve_keeper(options, table()));
    }
    a_ = std::make_unique<PlantedDevice>(dir_ / "a.sock", 0);
    b_ = std::make_unique<PlantedDevice>(dir_ / "b.sock", 1);
    write_config();
  }
  void TearDown() override {
    a_.reset(), b_.reset();
    ::kill(keeper_, SIGKILL);
    ::waitpid(keeper_, nullptr, 0);
    ::munmap(contacts(), sizeof(Contacts));
  }

  void write_config(const std::string& more = "", const std::string& board = "board: plain\n") const {
    std::ofstream(dir_ / "plain.yaml") << board;
    std::ofstream(dir_ / "bench.yaml") << "bench: planted\ninstruments:\n  relay: { driver: planted-relay }\n"
                                       << "  line-a: { driver: planted-console, socket: a.sock }\n"
                                       << "  line-b: { driver: planted-console, socket: b.sock }\n"
                                       << "duts:\n"
                                       << "  a: { board: plain.yaml, power: { instrument: relay, channel: '0' }, consoles: { main: { "
                                          "instrument: line-a, channel: console } } }\n"
                                       << "  b: { board: plain.yaml, power: { instrument: relay, channel: '1' }, consoles: { main: { "
                                          "instrument: line-b, channel: console } } }\n"
                                       << more;
  }
  // In lab-config, once.
  void change_config(const std::string& from, const std::string& to) const {
    std::ifstream file(dir_ / "bench.yaml");
    std::string text(std::istreambuf_iterator<char>(file), {});
    text.replace(text.find(from), from.size(), to);
    std::ofstream(dir_ / "bench.yaml") << text;
  }
  BenchConfig config() const { return load_bench_config(dir_ / "bench.yaml", dir_.path(), table()); }

  KeeperClient::Options keeper() const {
    KeeperClient::Options options;
    options.socket = dir_ / "keeper.sock";
    options.start_on_demand = false;
    const auto limit = Deadline::in(10s);
    while (!std::filesystem::exists(options.socket) && !limit.expired()) wait_until(limit.at_most(2ms));
    return options;
  }
  std::unique_ptr<Bench> open(EventSink& sink) const {
    OpenOptions options;
    options.holder = "test";
    options.keeper = keeper();
    return Bench::open(config(), options, table(), sink);
  }

  static DriverTable table() {
    static const Driver relay{
        .name = "planted-relay",
        .summary = "",
        .keys = {},
        .identity = [](const InstrumentConfig&) { return std::string("planted:relay"); },
        .open = [](const InstrumentConfig&, InstrumentEvent) -> std::unique_ptr<Instrument> { return std::make_unique<PlantedRelay>(); }};
    static const Driver console{
        .name = "planted-console",
        .summary = "",
        .keys = {{.name = "socket", .type = KeySpec::Type::Path, .description = "where", .required = true}},
        .identity = [](const InstrumentConfig& config) { return config.config.at("socket").get<std::string>(); },
        .open_console = [](const InstrumentConfig& config,
                           Deadline deadline) { return open_unix_stream(config.config.at("socket").get<std::string>(), deadline); }};
    static const Driver disk{
        .name = "planted-disk",
        .summary = "",
        .keys = {{.name = "file", .type = KeySpec::Type::Path, .description = "there while the disk is", .required = true}},
        .identity = [](const InstrumentConfig& config) { return config.config.at("file").get<std::string>(); },
        .open_storage = [](const InstrumentConfig& config, Deadline) -> std::unique_ptr<BlockDevice> {
          if (!std::filesystem::exists(config.config.at("file").get<std::string>()))
            throw Error(ErrorKind::NotFound, "disk", "is not there", "plug it in");
          return std::make_unique<PlantedDisk>();
        }};
    static const Driver* const all[] = {&relay, &console, &disk};
    return all;
  }

  TempDir dir_{true};
  pid_t keeper_ = -1;
  std::unique_ptr<PlantedDevice> a_, b_;
  MemorySink events_;
};

}  // namespace hilcop
