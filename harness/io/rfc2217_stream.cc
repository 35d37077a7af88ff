// SPDX-License-Identifier: Apache-2.0
#include "io/rfc2217_stream.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/exchange.h"
#include "io/rfc2217.h"
#include "io/socket_stream.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

using Agreement = Rfc2217Session::Agreement;
namespace control = com_port_control;

// Commands alone, without one byte of the line between them: then the line cannot be read any more.
constexpr std::size_t kMostCommands = 1u << 20;
constexpr std::size_t kPiece = 16384;
constexpr std::uint64_t kFull = 0xfffffffffffffffe;  // of an eventfd: not writable (eventfd(2))

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::uint32_t from_big_endian(const std::string& text) {
  std::uint32_t value = 0;
  for (const unsigned char byte : text) value = value << 8 | byte;
  return value;
}

UniqueFd make_event(unsigned initial, const std::string& object) {
  UniqueFd fd(::eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw error_from_errno(errno, object, "make an eventfd");
  return fd;
}

class RealRfc2217Stream final : public Rfc2217Stream {
 public:
  RealRfc2217Stream(std::unique_ptr<ByteStream> connection, const Rfc2217Options& options)
      : connection_(std::move(connection)),
        name_("rfc2217:" + options.host + ":" + std::to_string(options.port)),
        answer_(options.answer),
        ready_(::epoll_create1(EPOLL_CLOEXEC)),
        held_ready_(make_event(0, name_)),
        gate_(make_event(0, name_)) {
    for (const int fd : {connection_->fd(), held_ready_.get()}) {
      epoll_event event{};
      event.events = EPOLLIN;
      if (!ready_ || ::epoll_ctl(ready_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw error_from_errno(errno, name_, "watch");
    }
  }

  void open(const SerialSettings& settings, Deadline deadline) {
    try {
      negotiate(deadline);
      ask_settings(settings);
      receive_until([&] { return session_.all_answered(); }, deadline.at_most(answer_));
    } catch (const Error& error) {
      throw hung_up(error);
    }
    check_settings();
  }

  const std::string& name() const override { return name_; }
  std::string remark() const override { return remark_; }
  int fd() const override { return ready_.get(); }
  // While the server asks for a pause the socket would say ready for ever.
  int write_fd() const override { return session_.suspended() ? gate_.get() : connection_->write_fd(); }

  std::size_t read_some(std::span<std::byte> into) override {
    if (held_.empty()) return fetch(into);
    const auto n = std::min(into.size(), held_.size());
    std::memcpy(into.data(), held_.data(), n);
    held_.erase(0, n);
    std::uint64_t count = 0;
    if (held_.empty()) [[maybe_unused]]
      const auto drained = ::read(held_ready_.get(), &count, sizeof count);
    return n;
  }

  std::size_t write_some(std::span<const std::byte> bytes) override {
    if (!flush() || session_.suspended()) return 0;
    const auto piece = bytes.first(std::min(bytes.size(), kPiece));
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    if (std::none_of(text.begin(), text.end(), [this](char c) { return session_.needs_encoding(c); }))
      return connection_->write_some(bytes.first(piece.size()));
    std::string encoded;
    session_.encode(text, encoded);
    const auto sent = connection_->write_some(std::as_bytes(std::span(encoded)));
    std::size_t taken = 0, at = 0;
    for (; taken < text.size() && at < sent; ++taken) at += session_.needs_encoding(text[taken]) ? 2 : 1;
    // Half of a pair has gone: the other half goes before anything else.
    if (at > sent) session_.output().insert(0, encoded.substr(sent, 1));
    return taken;
  }

  void check_present() override {
    flush_later();
    connection_->check_present();
  }

  void set_line(ModemLine line, bool asserted) override {
    const bool dtr = line == ModemLine::Dtr;
    const char on = dtr ? control::kDtrOn : control::kRtsOn;
    const char off = dtr ? control::kDtrOff : control::kRtsOff;
    command(ComPort::Control, asserted ? on : off, dtr ? "DTR" : "RTS");
    settle(answer_);
  }

  void send_break(std::chrono::milliseconds length) override {
    command(ComPort::Control, control::kBreakOn, "break");
    try {
      wait_until(Deadline::in(length));
    } catch (...) {
      command(ComPort::Control, control::kBreakOff, "break");
      throw;
    }
    command(ComPort::Control, control::kBreakOff, "break");
    settle(answer_);
  }

  void hold_break(bool held) override {
    command(ComPort::Control, held ? control::kBreakOn : control::kBreakOff, "break");
    settle(answer_);
  }

  std::optional<LineCounters> line_counters() override { return session_.line_counters(); }

  std::optional<bool> modem_input(ModemInput input) const override {
    const auto state = session_.modem_state();
    return state ? std::optional((*state & static_cast<unsigned char>(input)) != 0) : std::nullopt;
  }

  void purge(bool received, bool to_send) override {
    command(ComPort::Purge, static_cast<char>((received ? 1 : 0) + (to_send ? 2 : 0)), "purge");
    settle(answer_);
  }

 private:
  void negotiate(Deadline deadline) {
    if (!receive_until([&] { return session_.negotiated() || session_.com_port() == Agreement::No; }, deadline.at_most(answer_)) &&
        session_.com_port() == Agreement::Unknown)
      throw Error(ErrorKind::Timeout, name_, "does not answer as a telnet server: it takes the connection, but no RFC 2217",
                  "see whether its port is set to RFC 2217; a raw TCP port needs the driver tcp-console");
    if (session_.com_port() == Agreement::No)
      throw Error(ErrorKind::Unsupported, name_, "is a telnet server that refuses RFC 2217: the line cannot be set",
                  "set its port to RFC 2217, or reach the line by the driver command-console with telnet");
  }

  // A server whose port another client has says so as if it were the line ("Port already in use", ser2net), and hangs up.
  Error hung_up(const Error& error) const {
    if (error.kind() != ErrorKind::Disconnected || held_.empty()) return error;
    const bool busy = held_.find("in use") != std::string::npos;
    return {busy ? ErrorKind::Busy : ErrorKind::Disconnected, name_, "the server hung up, and said: " + shown(held_),
            busy ? "end the other client of that port" : "see why the server ends the connection"};
  }

  std::size_t fetch(std::span<std::byte> into) {
    const std::span chars(reinterpret_cast<char*>(into.data()), into.size());
    std::size_t commands = 0;
    while (true) {
      if (!session_.violation().empty()) throw garbled(session_.violation());
      const auto n = connection_->read_some(into);
      const auto data = session_.receive(chars.first(n));
      apply_suspension();
      if (data == 0) flush();
      if (data == 0 && n > 0 && (commands += n) < kMostCommands) continue;
      if (data == 0 && n > 0) throw garbled("floods the line with telnet commands");
      if (data > 0) flush_later();
      return data;
    }
  }

  // What the line said comes first; that the server has gone is seen by the next read.
  void flush_later() {
    try {
      flush();
    } catch (const Error&) {
      return;
    }
  }

  // False: the server does not take it now.
  bool flush() {
    auto& output = session_.output();
    while (!output.empty()) {
      const auto n = connection_->write_some(std::as_bytes(std::span(output)));
      if (n == 0) return false;
      output.erase(0, n);
    }
    return true;
  }

  void apply_suspension() {
    if (session_.suspended() == gate_closed_) return;
    gate_closed_ = session_.suspended();
    std::uint64_t count = kFull;
    [[maybe_unused]] const auto n = gate_closed_ ? ::write(gate_.get(), &count, sizeof count) : ::read(gate_.get(), &count, sizeof count);
  }

  template <typename Condition>
  bool receive_until(const Condition& reached, Deadline deadline) {
    std::array<std::byte, 4096> chunk;
    while (true) {
      flush();
      if (reached()) return true;
      const auto n = fetch(chunk);
      if (n > 0) hold({reinterpret_cast<const char*>(chunk.data()), n});
      if (n > 0 || reached()) continue;
      if (!wait_ready(connection_->fd(), POLLIN, deadline)) return false;
    }
  }

  // The line speaks while the server is waited for: whoever reads next gets it.
  void hold(std::string_view bytes) {
    held_ += bytes;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(held_ready_.get(), &one, sizeof one);
  }

  void command(ComPort what, char value, const char* name) {
    session_.ask(what, std::string(1, value), name);
    flush();
  }

  // A server that was silent about a control when it was asked first is not waited for again.
  void settle(std::chrono::milliseconds at_most) {
    if (mute_controls_) return;
    const bool all = receive_until([&] { return session_.all_answered(); }, Deadline::in(at_most));
    for (const auto& request : session_.requests()) {
      if (!request.setting) continue;
      if (request.outstanding > 0 && !all) {
        mute_controls_ = true;
        note("does not confirm " + request.what);
      } else if (request.answered && !agrees(request)) {
        throw Error(ErrorKind::Protocol, name_, "did not set " + request.what + " as asked: it answers " + shown_value(*request.answered),
                    "see what the server's port can do");
      }
    }
  }

  void ask_settings(const SerialSettings& settings) {
    const auto ask = [this](ComPort what, char value, const char* name) { session_.ask(what, std::string(1, value), name); };
    // Before the settings: a server that answers these at all has answered them when the last setting is. ser2net
    // 4.3 answers a mask by telling the state (measured).
    session_.ask(ComPort::Signature, "", "signature", false);
    session_.ask(ComPort::LineStateMask, "\x1e", "line errors", false);  // overrun, parity, framing, break
    session_.ask(ComPort::ModemStateMask, "\xff", "modem state", false);
    session_.ask(ComPort::Baud, big_endian(static_cast<std::uint32_t>(settings.baud)), "baud");
    ask(ComPort::DataBits, static_cast<char>(settings.data_bits), "data bits");
    ask(ComPort::Parity, static_cast<char>(static_cast<int>(settings.parity) + 1), "parity");
    ask(ComPort::StopBits, static_cast<char>(settings.stop_bits), "stop bits");
    ask(ComPort::Control,
        settings.flow == FlowControl::RtsCts    ? control::kFlowRtsCts
        : settings.flow == FlowControl::XonXoff ? control::kFlowXonXoff
                                                : control::kFlowNone,
        "flow control");
    if (settings.dtr) ask(ComPort::Control, *settings.dtr ? control::kDtrOn : control::kDtrOff, "DTR");
    if (settings.rts && settings.flow != FlowControl::RtsCts)
      ask(ComPort::Control, *settings.rts ? control::kRtsOn : control::kRtsOff, "RTS");
  }

  void check_settings() {
    std::string missing;
    for (const auto& request : session_.requests()) {
      if (!request.setting) continue;
      if (!request.answered) {
        missing += (missing.empty() ? "" : ", ") + request.what;
        mute_controls_ |= request.what == "DTR" || request.what == "RTS" || request.what == "flow control";
      } else if (!agrees(request)) {
        throw Error(ErrorKind::Config, name_,
                    "has set " + request.what + " to " + shown_value(*request.answered) + ", not " + shown_value(request.asked),
                    "give a value that its serial port has, or see who else has set that port");
      }
    }
    if (!session_.signature().empty()) note(session_.signature().substr(0, 80));
    if (!missing.empty()) note("does not confirm " + missing);
    if (!session_.line_counters()) note("does not tell of line errors");
    if (!session_.binary()) note("refuses binary: it may change bytes over 127");
  }

  // A baud rate is as near as the server's divider comes; 3 % is what a UART bears.
  static bool agrees(const Rfc2217Session::Request& request) {
    if (request.what == "break") return true;  // ser2net 4.3 answers "on" to on, to off and to the question (measured)
    if (request.what != "baud") return *request.answered == request.asked;
    const double asked = from_big_endian(request.asked), answered = from_big_endian(*request.answered);
    return answered > asked * 0.97 && answered < asked * 1.03;
  }

  static std::string shown_value(const std::string& value) { return std::to_string(from_big_endian(value.substr(0, 4))); }

  void note(const std::string& text) { remark_ += (remark_.empty() ? "" : "; ") + text; }

  Error garbled(const std::string& how) const {
    return {ErrorKind::Protocol, name_, how, "see whether an RFC 2217 server is at that port"};
  }

  std::unique_ptr<ByteStream> connection_;
  std::string name_, remark_, held_;
  std::chrono::milliseconds answer_;
  UniqueFd ready_, held_ready_, gate_;
  Rfc2217Session session_;
  bool gate_closed_ = false, mute_controls_ = false;
};

}  // namespace

std::unique_ptr<Rfc2217Stream> make_rfc2217_stream(std::unique_ptr<ByteStream> connection, const Rfc2217Options& options,
                                                   Deadline deadline) {
  auto stream = std::make_unique<RealRfc2217Stream>(std::move(connection), options);
  stream->open(options.settings, deadline);
  return stream;
}

std::unique_ptr<Rfc2217Stream> open_rfc2217_stream(const Rfc2217Options& options, Deadline deadline) {
  const std::string object = "rfc2217:" + options.host + ":" + std::to_string(options.port);
  return make_rfc2217_stream(open_tcp_stream(options.host, options.port, object, deadline), options, deadline);
}

}  // namespace hilcop
