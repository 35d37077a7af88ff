// SPDX-License-Identifier: Apache-2.0
#include "contract/rig.h"
#include "fakes/rfc2217_server.h"

namespace hilcop {
namespace {

class TcpRig final : public ConsoleRig {
 public:
  nlohmann::json config() const override { return {{"host", "127.0.0.1"}, {"port", server_.port()}}; }
  void says(std::string_view bytes) override { server_.says(bytes); }
  std::string hears(std::size_t bytes) override { return server_.hears(bytes); }
  void go() override { server_.go(); }
  void come_back() override { server_.come_back(); }

 private:
  Rfc2217Server server_{{.no_telnet = true}};
};

}  // namespace

std::unique_ptr<ConsoleRig> make_tcp_console_console_rig() { return std::make_unique<TcpRig>(); }

}  // namespace hilcop
