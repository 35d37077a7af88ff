// SPDX-License-Identifier: Apache-2.0
#include "cloud.h"

#include <mosquitto.h>

#include <memory>
#include <utility>

#include "backoff.h"
#include "error.h"
#include "owned.h"
#include "tls_rules.h"

namespace ht1 {
namespace {

using nlohmann::json;

struct FreeMosquitto {
  void operator()(mosquitto* x) const { mosquitto_destroy(x); }
};

// What the connection's callbacks tell, all on the thread that runs its loop.
struct Link {
  int answer = -1;  // of the broker; 0: accepted
  bool ended = false;
};

// A clean end is not one that the broker would tell of: the last will is for the others.
void say_goodbye(mosquitto* client, const bool& ended, const std::string& topic, const std::string& offline) {
  mosquitto_publish(client, nullptr, topic.c_str(), static_cast<int>(offline.size()), offline.data(), 1, true);
  mosquitto_disconnect(client);
  for (int rounds = 0; rounds < 5 && !ended; ++rounds)
    if (mosquitto_loop(client, 100, 1) != MOSQ_ERR_SUCCESS) return;
}

void need(int result, const char* what) {
  if (result != MOSQ_ERR_SUCCESS) throw Failure(std::string("MQTT: ") + what + ": " + mosquitto_strerror(result));
}

}  // namespace

Cloud::Cloud(Device& device) : device_(device), https_(device.options, device.unit, stopping_) {}

Cloud::~Cloud() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void Cloud::start() {
  thread_ = std::thread([this] { run(); });
}

void Cloud::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++changes_;
  }
  wake_.notify_all();
}

bool Cloud::wait(double seconds) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stopping_ || changes_ != seen_; });
  seen_ = changes_;
  return !stopping_;
}

bool Cloud::may_register() const { return device_.set_up() || device_.unit.flaws.has("telemetry-before-consent"); }

void Cloud::run() {
  Backoff backoff(1, 300, device_.unit.flaws);
  std::string said;
  // Many units start at one instant when the power comes back: not all of them call at once.
  if (!wait(device_.unit.flaws.has("no-backoff") ? 0 : random_fraction() * 2)) return;
  while (!stopping_) {
    if (!may_register()) {
      wait(3600);
      continue;
    }
    try {
      if (!device_.store.get("token")) register_unit();
      if (stay_connected()) backoff.succeeded();
    } catch (const std::exception& e) {
      if (e.what() != std::exchange(said, e.what())) device_.services.console(e.what());  // the same one is said once
    }
    connected_ = false;
    if (!stopping_) wait(backoff.next_s());
  }
}

void Cloud::register_unit() {
  const json body = {{"serial", device_.serial()}, {"model", device_.unit.model}, {"version", device_.options.version}};
  const auto reply = https_.post("https://" + device_.unit.cloud + "/v1/register", body.dump(), "", HttpsClient::As::Device);
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (reply.status != 200 && reply.status != 201) throw Failure("registration: the cloud answers " + std::to_string(reply.status));
  if (!json.is_object() || !json.contains("token") || !json["token"].is_string() || json["token"].get<std::string>().size() > 512)
    throw Failure("registration: the cloud's answer has no token in it");
  {
    const std::lock_guard lock(device_.mutex);
    if (device_.erasing) throw Failure("registration: a factory reset has begun");
    device_.store.put("token", json["token"]);
  }
  device_.log.add("registered");
  if (device_.unit.flaws.has("token-in-log")) device_.services.console("cloud: registered, token " + json["token"].get<std::string>());
}

bool Cloud::erase() {
  const auto token = device_.store.get("token");
  if (!token) return true;
  try {
    return https_.post("https://" + device_.unit.cloud + "/v1/erase", "{}", *token, HttpsClient::As::Device, 8).status == 200;
  } catch (const Failure& e) {
    device_.services.console(e.what());
    return false;
  }
}

bool Cloud::stay_connected() {
  const std::string serial = device_.serial(), topic = "ht1/" + serial + "/state";
  const bool clear = device_.unit.flaws.has("mqtt-clear");
  Link link;
  const Owned<SSL_CTX> tls(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<mosquitto, FreeMosquitto> client(mosquitto_new(serial.c_str(), true, &link));
  if (!client || !tls) throw Failure("MQTT: no memory for a client");
  mosquitto_connect_callback_set(client.get(), [](mosquitto*, void* of, int answer) { static_cast<Link*>(of)->answer = answer; });
  mosquitto_disconnect_callback_set(client.get(), [](mosquitto*, void* of, int) { static_cast<Link*>(of)->ended = true; });
  need(mosquitto_username_pw_set(client.get(), serial.c_str(), device_.store.get("token").value_or("").c_str()), "user and token");
  const std::string offline = json{{"online", false}}.dump();
  need(mosquitto_will_set(client.get(), topic.c_str(), static_cast<int>(offline.size()), offline.data(), 1, true), "will");
  if (!clear) {
    set_tls_rules(tls.get(), device_.unit, device_.unit.mqtt);
    need(mosquitto_void_option(client.get(), MOSQ_OPT_SSL_CTX, tls.get()), "TLS");
    // This context is whole: with the library's defaults it wants a CA file beside it, and refuses to connect.
    need(mosquitto_int_option(client.get(), MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0), "TLS");
  }
  const Place place = device_.options.place_of(device_.unit.mqtt, clear ? 1883 : 8883);
  need(mosquitto_connect_async(client.get(), place.host.c_str(), place.port, 60), "connect");

  const auto begun = std::chrono::steady_clock::now();
  auto next = begun;
  bool was_up = false;
  auto up_since = begun;
  while (!stopping_ && !link.ended) {
    // Short rounds: so that stopping and a change of consent are seen soon.
    if (const int result = mosquitto_loop(client.get(), 200, 1); result != MOSQ_ERR_SUCCESS && !link.ended)
      throw Failure(std::string("MQTT: the connection to ") + device_.unit.mqtt + " ended: " + mosquitto_strerror(result));
    if (link.answer == 4 || link.answer == 5) {  // bad user or password, not authorised: the token is worth nothing any more
      device_.store.remove("token");
      device_.log.add("token-refused");
    }
    if (link.answer > 0) throw Failure(std::string("MQTT: the broker refuses this unit: ") + mosquitto_connack_string(link.answer));
    const auto now = std::chrono::steady_clock::now();
    if (link.answer < 0 && now - begun > std::chrono::seconds(20))
      throw Failure("MQTT: " + device_.unit.mqtt + " does not answer within 20 s");
    if (link.answer != 0) continue;
    if (!std::exchange(was_up, true)) {
      connected_ = true, up_since = now;
      const std::string online = json{{"online", true}, {"version", device_.options.version}, {"slot", device_.options.slot}}.dump();
      need(mosquitto_publish(client.get(), nullptr, topic.c_str(), static_cast<int>(online.size()), online.data(), 1, true), "publish");
    }
    if (now >= next) {
      next = now + std::chrono::seconds(device_.options.telemetry_every_s);
      publish_telemetry(client.get());
    }
  }
  // After an erase nothing is said of this unit that the cloud has just forgotten.
  if (!link.ended && device_.erasing) mosquitto_disconnect(client.get());
  if (!link.ended && !device_.erasing) say_goodbye(client.get(), link.ended, topic, offline);
  // A broker that takes everybody and drops him at once is none to come back to at once.
  return was_up && std::chrono::steady_clock::now() - up_since > std::chrono::seconds(60);
}

void Cloud::publish_telemetry(mosquitto* client) const {
  if (!device_.may_send_telemetry() || device_.heating == nullptr) return;
  const auto heating = device_.heating->state();
  const std::string text = json{{"temperature", heating.celsius},
                                {"heating", heating.heating},
                                {"uptime_s", static_cast<long>(device_.now() - device_.started)},
                                {"version", device_.options.version}}
                               .dump();
  mosquitto_publish(client, nullptr, ("ht1/" + device_.serial() + "/telemetry").c_str(), static_cast<int>(text.size()), text.data(), 0,
                    false);
}

}  // namespace ht1
