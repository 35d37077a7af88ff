// SPDX-License-Identifier: Apache-2.0
// A command that switches files: channel n is on while the file n is there. How it behaves is the text of another file.
#include <fstream>

#include "contract/rig.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

constexpr const char* kScript = R"(cd "$1"; behaviour=$(cat behaviour)
case "$behaviour" in
  mute) exec sleep 60 ;;
  refuses) echo "no such outlet"; exit 3 ;;
  garbage) printf '\377\376{]<>\n'; exit 0 ;;
esac
case "$2" in
  on) [ "$behaviour" = lies ] || touch "$3"; echo "switched $3 on" ;;
  off) [ "$behaviour" = lies ] || rm -f "$3"; echo "switched $3 off" ;;
  state) if [ -e "$3" ]; then echo "$3 is on"; else echo "$3 is off"; fi ;;
esac
[ "$behaviour" != late ] || exec sleep 0.7
)";

class CommandRig final : public InstrumentRig {
 public:
  CommandRig() {
    std::ofstream(dir_ / "switch.sh") << kScript;
    behave(Behaviour::Sound);
  }
  nlohmann::json config() const override {
    const auto command = [&](const char* what) {
      return nlohmann::json{"/bin/sh", (dir_ / "switch.sh").string(), dir_.path().string(), what, "{channel}"};
    };
    return {{"switch_on", command("on")},
            {"switch_off", command("off")},
            {"state",
             {{"command", command("state")},
              {"is_on", "is on$"},
              {"is_off", "is off$"},
              {"pointer", ""},
              {"on_status", nullptr},
              {"off_status", nullptr}}},
            {"channels", {"1", "2"}}};
  }
  bool is_on(const std::string& output) const override { return std::filesystem::exists(dir_ / output); }
  void behave(Behaviour behaviour) override {
    const std::filesystem::path next = dir_ / "behaviour.next";
    std::ofstream(next) << (behaviour == Behaviour::Mute      ? "mute"
                            : behaviour == Behaviour::Late    ? "late"
                            : behaviour == Behaviour::Garbage ? "garbage"
                            : behaviour == Behaviour::Refuses ? "refuses"
                            : behaviour == Behaviour::Lies    ? "lies"
                                                              : "sound");
    std::filesystem::rename(next, dir_ / "behaviour");
  }
  std::map<Behaviour, std::string> impossible() const override {
    return {{Behaviour::HangsUp, "there is no connection to lose: a command that dies half-way is one that refuses"},
            {Behaviour::Truncated, "there is no answer to tear: what a command prints is judged when it has ended"}};
  }

 private:
  TempDir dir_;
};

}  // namespace

std::unique_ptr<InstrumentRig> make_command_instrument_rig() { return std::make_unique<CommandRig>(); }

}  // namespace hilcop
