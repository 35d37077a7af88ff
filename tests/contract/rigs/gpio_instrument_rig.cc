// SPDX-License-Identifier: Apache-2.0
// Stands in for libgpiod in this program: there is no GPIO chip that a test could have. Its state is shared with what is forked.
#include <gpiod.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "contract/rig.h"

struct gpiod_line {
  unsigned offset;
  const char* name;
  bool requested, active_low;
};
struct gpiod_chip {
  std::array<gpiod_line, 4> lines{
      {{0, "RELAY", false, false}, {1, "RESET_N", false, true}, {2, nullptr, false, false}, {3, "BUSY", false, false}}};
};
struct gpiod_chip_iter {
  int left = 2;
};

namespace {

struct Pins {
  std::array<std::atomic<bool>, 4> high, output;
  std::atomic<bool> gone, refuses, stuck;
};
Pins& pins() {
  static auto& all = *static_cast<Pins*>(::mmap(nullptr, sizeof(Pins), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return all;
}
[[maybe_unused]] Pins& made_before_anything_is_forked = pins();

int fail(int why) {
  errno = why;
  return -1;
}

}  // namespace

extern "C" {
gpiod_chip* gpiod_chip_open(const char* path) {
  if (std::strcmp(path, "/dev/gpiochip0") == 0 && !pins().gone) return new gpiod_chip;
  errno = ENOENT;
  return nullptr;
}
void gpiod_chip_close(gpiod_chip* chip) { delete chip; }
const char* gpiod_chip_name(gpiod_chip*) { return "gpiochip0"; }
const char* gpiod_chip_label(gpiod_chip*) { return "twin"; }
unsigned gpiod_chip_num_lines(gpiod_chip* chip) { return static_cast<unsigned>(chip->lines.size()); }
gpiod_line* gpiod_chip_get_line(gpiod_chip* chip, unsigned offset) { return &chip->lines.at(offset); }
gpiod_chip_iter* gpiod_chip_iter_new() { return new gpiod_chip_iter; }
gpiod_chip* gpiod_chip_iter_next_noclose(gpiod_chip_iter* all) { return all->left-- > 0 ? new gpiod_chip : nullptr; }
void gpiod_chip_iter_free_noclose(gpiod_chip_iter* all) { delete all; }
unsigned gpiod_line_offset(gpiod_line* line) { return line->offset; }
const char* gpiod_line_name(gpiod_line* line) { return line->name; }
const char* gpiod_line_consumer(gpiod_line*) { return "heartbeat"; }
int gpiod_line_request(gpiod_line* line, const gpiod_line_request_config* config, int) {
  if (line->offset == 3) return fail(EBUSY);
  line->requested = true;
  line->active_low = (config->flags & GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW) != 0;
  if (config->request_type == GPIOD_LINE_REQUEST_DIRECTION_INPUT) pins().output[line->offset] = false;
  return 0;
}
int gpiod_line_direction(gpiod_line* line) {
  return pins().output[line->offset] ? GPIOD_LINE_DIRECTION_OUTPUT : GPIOD_LINE_DIRECTION_INPUT;
}
int gpiod_line_get_value(gpiod_line* line) {
  if (!line->requested) return fail(EPERM);
  if (pins().gone) return fail(ENODEV);
  return pins().high[line->offset] != line->active_low ? 1 : 0;
}
int gpiod_line_set_direction_output(gpiod_line* line, int value) {
  if (!line->requested) return fail(EPERM);
  if (pins().gone) return fail(ENODEV);
  if (pins().refuses) return fail(EINVAL);
  pins().output[line->offset] = true;
  if (!pins().stuck) pins().high[line->offset] = (value != 0) != line->active_low;
  return 0;
}
}

namespace hilcop {
namespace {

class GpioRig final : public InstrumentRig {
 public:
  GpioRig() {
    behave(Behaviour::Sound);
    for (auto& high : pins().high) high = false;
    pins().high[1] = true;  // at rest: active low
    for (auto& output : pins().output) output = false;
  }
  nlohmann::json config() const override {
    return {{"chip", "/dev/gpiochip0"},
            {"lines",
             {{"relay", {{"line", "0"}, {"direction", "output"}, {"active_low", false}}},
              {"reset", {{"line", "RESET_N"}, {"direction", "output"}, {"active_low", true}}},
              {"led", {{"line", "2"}, {"direction", "input"}, {"active_low", false}}}}}};
  }
  std::string output() const override { return "reset"; }
  std::string other_output() const override { return "relay"; }
  bool is_on(const std::string& output) const override { return output == "reset" ? !pins().high[1] : pins().high[0].load(); }
  std::string sensor() const override { return "led"; }
  void world(bool something) override { pins().high[2] = something; }
  void behave(Behaviour behaviour) override {
    pins().gone = behaviour == Behaviour::HangsUp;
    pins().refuses = behaviour == Behaviour::Refuses;
    pins().stuck = behaviour == Behaviour::Lies;
  }
  std::map<Behaviour, std::string> impossible() const override {
    const std::string why = "a line is set by a system call, which answers at once and whole";
    return {{Behaviour::Mute, why}, {Behaviour::Late, why}, {Behaviour::Garbage, why}, {Behaviour::Truncated, why}};
  }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_gpio_instrument_rig() { return std::make_unique<GpioRig>(); }

}  // namespace hilcop
