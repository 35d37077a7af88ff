// SPDX-License-Identifier: Apache-2.0
// A serial port of this host: a pseudo-terminal behind a link that stays when the adapter is another.
#include <sys/ioctl.h>

#include "contract/rig.h"
#include "fakes/pty_port.h"

namespace hilcop {
namespace {

class SerialRig final : public ConsoleRig {
 public:
  SerialRig() { come_back(); }
  nlohmann::json config() const override { return {{"port", "/dev/../../.." + link().string()}}; }
  void says(std::string_view bytes) override { port_->says(bytes); }
  std::string hears(std::size_t bytes) override { return port_->hears(bytes); }
  void go() override {
    std::filesystem::remove(link());
    port_->unplug();
  }
  // By the same link; the kernel gives a pseudo-terminal another number, as it does to an adapter.
  void come_back() override {
    port_ = std::make_unique<PtyPort>();
    std::filesystem::create_symlink(port_->terminal(), link());
  }
  bool has_modem_lines() const override { return true; }
  int breaks() const override { return port_->breaks(); }
  bool asserted(ModemLine line) const override { return (port_->modem_lines() & (line == ModemLine::Dtr ? TIOCM_DTR : TIOCM_RTS)) != 0; }

 private:
  std::filesystem::path link() const { return dir_ / "port"; }
  TempDir dir_;
  std::unique_ptr<PtyPort> port_;
};

}  // namespace

std::unique_ptr<ConsoleRig> make_serial_console_rig() { return std::make_unique<SerialRig>(); }

}  // namespace hilcop
