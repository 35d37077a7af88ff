// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/unique_fd.h"

namespace hilcop {

/// A terminal server with one serial port, after RFC 854 and 2217, on a free port of loopback: sound, or ill in the ways of Illness.
/// The test is the device at the end of its line. One client at a time.
class Rfc2217Server {
 public:
  struct Illness {
    bool no_telnet = false;       // a raw port
    bool refuses = false;         // DONT COM-PORT
    bool no_binary = false;       // WONT and DONT BINARY
    bool mute = false;            // answers no COM port command
    bool mute_controls = false;   // none of SET-CONTROL (ser2net on a port without modem lines)
    bool byte_by_byte = false;    // one byte a packet
    int other_baud = 0;           // says that it has set this one
    bool contrary_lines = false;  // says the opposite of what DTR and RTS were asked to be
    std::string greeting = {};    // sent first, raw
  };
  Rfc2217Server() : Rfc2217Server(Illness{}) {}
  explicit Rfc2217Server(Illness illness);
  ~Rfc2217Server();

  int port() const { return port_; }
  /// Bytes of the line to the client; waits for a client that has negotiated, at most 5 s.
  void says(std::string_view bytes);
  /// Bytes on the wire as they are.
  void sends(std::string_view raw);
  /// What the line has got of the client, waited for at most 5 s.
  std::string hears(std::size_t bytes);
  /// The last value that was asked for: key is the command, and its first byte for SET-CONTROL. Waited for at most 5 s.
  std::optional<std::string> asked(int command, int control = -1);
  bool dtr() const { return flag(dtr_); }
  bool rts() const { return flag(rts_); }
  int breaks() const;
  bool line_broken() const { return flag(broken_); }  // by a break that lasts
  /// It ends, and lets nobody in; it is there again at the same port.
  void go();
  void come_back();
  void hang_up();

 private:
  bool flag(const bool& value) const {
    const std::scoped_lock lock(mutex_);
    return value;
  }
  void listen();
  void wake();
  void serve(const std::stop_token& stop);
  // The rest with the lock held.
  void drop_client();
  void take(unsigned char byte);
  void negotiate(unsigned char verb, unsigned char option);
  void command(const std::string& payload);
  void send(std::string_view raw);

  Illness illness_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  UniqueFd listener_, client_, wake_;
  bool ready_ = false, dtr_ = false, rts_ = false, broken_ = false, binary_ = false;
  int breaks_ = 0;
  std::string heard_, sub_;
  int state_ = 0;
  unsigned char verb_ = 0;
  std::map<std::pair<int, int>, std::string> asked_;
  std::jthread thread_;
};

}  // namespace hilcop
