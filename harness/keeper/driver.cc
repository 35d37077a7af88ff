// SPDX-License-Identifier: Apache-2.0
#include "keeper/driver.h"

namespace hilcop {

const Driver* find_driver(DriverTable table, const std::string& name) {
  for (const Driver* driver : table)
    if (driver->name == name) return driver;
  return nullptr;
}

}  // namespace hilcop
