// SPDX-License-Identifier: Apache-2.0
#include "selftest/reach_checks.h"

#include <fmt/format.h>

#include "io/block_device.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kShown = 10s;
constexpr Nanoseconds kOpen = 30s;

std::string text_of(const Error& error) {
  return error.object() + ": " + error.cause() + (error.remedy().empty() ? "" : "; " + error.remedy());
}

SelftestItem check_disk_of(Dut& dut, const std::string& name, const StorageConfig& storage) {
  SelftestItem item{"storage", dut.config().name, name + " (" + storage.instrument + ")", SelftestGrade::Pass, ""};
  try {
    auto& role = dut.storage(name);
    std::optional<Error> failed;
    try {
      item.text = role.attach(Deadline::in(storage.appear + kOpen))->name();
    } catch (const Error& error) {
      failed = error;
    }
    role.detach(Deadline::in(kOpen));  // also after a failure: the DUT needs its card
    if (failed) throw Error(*failed);
  } catch (const Error& error) {
    // A DUT may show its own disk only in a mode that nobody asked it for.
    const bool may_be_away = !storage.mux && error.kind() == ErrorKind::NotFound;
    item.grade = may_be_away ? SelftestGrade::NotProved : SelftestGrade::Fail;
    item.text = may_be_away ? "not shown while the DUT ran: " + error.cause() : text_of(error);
  }
  return item;
}

}  // namespace

std::vector<SelftestItem> check_storage(Dut& dut, bool powered) {
  std::vector<SelftestItem> items;
  const bool can_be_powered = dut.config().power.has_value();
  for (const auto& [name, storage] : dut.config().storage) {
    const bool wants_power = !storage.mux && can_be_powered;
    if (wants_power == powered) items.push_back(check_disk_of(dut, name, storage));
  }
  return items;
}

std::vector<SelftestItem> check_usb(Dut& dut, bool powered) {
  const auto& config = dut.config();
  if (!config.usb) return {};
  SelftestItem item{"usb", config.name, config.usb->text(), SelftestGrade::Pass, ""};
  try {
    auto& port = dut.usb();
    const bool right = powered ? port.wait_present(Deadline::in(kShown)) : port.wait_absent(Deadline::in(kShown));
    item.text = powered ? "shown with power" : "gone without power";
    if (!right) {
      item.grade = SelftestGrade::Warning;
      item.text = powered ? "nothing is shown there in 10 s with power: check the cable and what `usb:` says in lab-config"
                          : "still shown without power: it is fed through its USB, or is not this DUT";
    }
  } catch (const Error& error) {
    item.grade = SelftestGrade::Fail;
    item.text = text_of(error);
  }
  return {item};
}

}  // namespace hilcop
