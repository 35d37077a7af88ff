// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app.h"
#include "error.h"
#include "owned.h"

namespace ht1 {
namespace {

std::size_t collect_info(const char* data, std::size_t one, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  if (text.size() > 4096) return 0;
  text.append(data, one * count);
  return one * count;
}

}  // namespace

void self_check(const Options& options, const Unit& unit, int port) {
  const OwnedCurl curl(curl_easy_init());
  const std::string host = options.address == "0.0.0.0" ? "127.0.0.1" : options.address;
  const std::string url = "https://" + host + ":" + std::to_string(port) + "/api/info";
  std::string text;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 20L);
  // Its own certificate and no other; the name in it is the serial number, not an address.
  curl_easy_setopt(curl.get(), CURLOPT_CAINFO, unit.file("tls.crt").c_str());
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, collect_info);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  if (const auto failed = curl_easy_perform(curl.get()); failed != CURLE_OK)
    throw Failure("self-check: " + url + ": " + curl_easy_strerror(failed) + "; this slot is not marked good");
  const auto answer = nlohmann::json::parse(text, nullptr, false);
  if (!answer.is_object() || answer.value("model", "") != unit.model)
    throw Failure("self-check: " + url + " does not answer as a " + unit.model + "; this slot is not marked good");
}

}  // namespace ht1
