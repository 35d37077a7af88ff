// SPDX-License-Identifier: Apache-2.0
// fastboot (platform tools): it has no way to read a partition back, so nothing that it wrote is ever called verified.
#include "flash/program.h"

namespace hilcop {

FlashDone flash_by_fastboot(const FlashJob& job) {
  // -s takes one of them: a serial number, or usb:PATH as `fastboot devices -l` prints it. Cheap boards share serial numbers.
  const auto path = job.values.find("usb_path");
  const std::string device = path != job.values.end() ? "usb:" + path->second : job.values.at("serial");
  auto words = job.filled(job.part.config.at("arguments"));
  words.insert(words.begin(), {"fastboot", "-s", device});
  auto done = facts_of(job.file);
  auto flash = words, reboot = words;
  flash.insert(flash.end(), {"flash", job.part.config.at("partition").get<std::string>(), job.file.string()});
  run_program(job, flash, "write", done.bytes);
  if (job.part.config.at("reboot").get<bool>()) {
    reboot.emplace_back("reboot");
    run_program(job, reboot, "reboot", 0);
  }
  done.unverified_why = "fastboot cannot read back";
  return done;
}

}  // namespace hilcop
