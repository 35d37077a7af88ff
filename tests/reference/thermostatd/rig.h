// SPDX-License-Identifier: Apache-2.0
// A unit of the product in a folder: its factory data made afresh, its daemon's parts or all of it beside the test.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "fakes/temp_dir.h"
#include "thermostatd/api.h"
#include "thermostatd/device.h"
#include "thermostatd/heating.h"
#include "thermostatd/options.h"

namespace ht1 {

inline constexpr const char* kSetupSecret = "ABCDEFGHJKMN";
inline constexpr const char* kPassword = "correct horse battery";

struct Certificate {
  std::string key, certificate;
};
// P-256; signed by `by`, or by itself. Days may be negative: it is over.
Certificate make_certificate(const std::string& name, const Certificate* by = nullptr, int days = 30);
std::string public_key_of(const std::string& private_key);
std::string base64(const std::string& bytes);
std::string sign(const std::string& private_key, const std::string& text);

class UnitFolder {
 public:
  explicit UnitFolder(const std::set<std::string>& flaws = {});
  std::filesystem::path path() const { return folder_.path(); }
  Options options() const;
  std::string read(const char* file) const;

  Certificate maker = make_certificate("HT-1 maker");
  Certificate update_key = make_certificate("update");

 private:
  hilcop::TempDir folder_;
};

// The device without its services and network: calls go straight to the API. A test's own clock.
class ApiRig {
 public:
  explicit ApiRig(const std::set<std::string>& flaws = {}) : folder(flaws) { power_cycle(); }
  void power_cycle();
  HttpResponse call(const std::string& method, const std::string& path, const nlohmann::json& body = nullptr,
                    const std::string& token = "");
  HttpResponse raw(const std::string& method, const std::string& path, const std::string& body, const std::string& token = "");
  HttpResponse set_up(nlohmann::json more = nlohmann::json::object());
  std::string login(const std::string& password = kPassword);
  std::string events() const;

  UnitFolder folder;
  double now = 1000;
  std::string console;
  std::unique_ptr<Heating> heating;
  std::unique_ptr<Device> device;
};

}  // namespace ht1
