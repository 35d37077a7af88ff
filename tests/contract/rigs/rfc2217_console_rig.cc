// SPDX-License-Identifier: Apache-2.0
#include "contract/rig.h"
#include "fakes/rfc2217_server.h"

namespace hilcop {
namespace {

class Rfc2217Rig final : public ConsoleRig {
 public:
  nlohmann::json config() const override { return {{"host", "127.0.0.1"}, {"port", server_.port()}}; }
  void says(std::string_view bytes) override { server_.says(bytes); }
  std::string hears(std::size_t bytes) override { return server_.hears(bytes); }
  void go() override { server_.go(); }
  void come_back() override { server_.come_back(); }
  bool has_modem_lines() const override { return true; }
  bool asserted(ModemLine line) const override { return line == ModemLine::Dtr ? server_.dtr() : server_.rts(); }
  int breaks() const override { return server_.breaks(); }

 private:
  Rfc2217Server server_;
};

}  // namespace

std::unique_ptr<ConsoleRig> make_rfc2217_console_rig() { return std::make_unique<Rfc2217Rig>(); }

}  // namespace hilcop
