// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "contract/rig.h"
#include "fakes/rfc2217_server.h"

namespace hilcop {

/// A console whose device's end is a server on loopback, reached over TCP.
class ServedConsoleRig : public ConsoleRig {
 public:
  nlohmann::json config() const override { return {{"host", "127.0.0.1"}, {"port", server_.port()}}; }
  void says(std::string_view bytes) override { server_.says(bytes); }
  std::string hears(std::size_t bytes) override { return server_.hears(bytes); }
  void go() override { server_.go(); }
  void come_back() override { server_.come_back(); }

 protected:
  explicit ServedConsoleRig(Rfc2217Server::Illness illness = {}) : server_(illness) {}
  Rfc2217Server server_;
};

}  // namespace hilcop
