// SPDX-License-Identifier: Apache-2.0
#include "https_client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "error.h"
#include "fd.h"
#include "owned.h"
#include "tls_rules.h"

namespace ht1 {
namespace {

struct Collected {
  std::string bytes;
  std::size_t most;
};

std::size_t collect(const char* data, std::size_t one, std::size_t count, void* into) {
  auto& collected = *static_cast<Collected*>(into);
  if (collected.bytes.size() + one * count > collected.most) return 0;
  collected.bytes.append(data, one * count);
  return one * count;
}

struct Download {
  CURL* curl;
  int fd;
  std::uint64_t have, most;
  bool begun = false;
};

std::size_t store(const char* data, std::size_t one, std::size_t count, void* into) {
  auto& download = *static_cast<Download*>(into);
  if (!download.begun) {
    long status = 0;
    curl_easy_getinfo(download.curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200 && status != 206) return one * count;  // an error page is no part of the file
    if (status == 200) {                                     // the server gives all of it from the start
      if (::ftruncate(download.fd, 0) != 0) return 0;
      download.have = 0;
    }
    download.begun = true;
  }
  if (download.have + one * count > download.most) return 0;
  if (::write(download.fd, data, one * count) != static_cast<ssize_t>(one * count)) return 0;
  download.have += one * count;
  return one * count;
}

int look_at_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const std::atomic<bool>*>(stop) ? 1 : 0;
}

CURLcode rules(CURL*, void* context, void* unit) {
  require_forward_secrecy(static_cast<SSL_CTX*>(context));
  loosen_by_flaws(static_cast<SSL_CTX*>(context), static_cast<const Unit*>(unit)->flaws);
  return CURLE_OK;
}

std::string host_of(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) throw Failure("'" + url + "' is no HTTPS address; the device asks nobody else");
  const auto rest = url.substr(kScheme.size());
  return rest.substr(0, rest.find_first_of("/:?#"));
}

}  // namespace

struct HttpsClient::Handle {
  OwnedCurl curl{curl_easy_init()};
  OwnedCurlList connect_to, headers;
  std::string url;

  Handle(const HttpsClient& client, const std::string& to) : url(to) {
    const std::string host = host_of(url);
    const Unit& unit = client.unit_;
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, 10L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_CAINFO, unit.file("ca.crt").c_str());
    set(CURLOPT_CAPATH, nullptr);
    set(CURLOPT_SSL_VERIFYPEER, unit.flaws.has("cert-unchecked") ? 0L : 1L);
    set(CURLOPT_SSL_VERIFYHOST, unit.flaws.has("name-unchecked") || unit.flaws.has("cert-unchecked") ? 0L : 2L);
    set(CURLOPT_SSL_CTX_FUNCTION, rules);
    set(CURLOPT_SSL_CTX_DATA, const_cast<Unit*>(&unit));
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, look_at_stop);
    set(CURLOPT_XFERINFODATA, const_cast<std::atomic<bool>*>(&client.stop_));
    const Place place = client.options_.place_of(host, 443);
    if (place.host != host || place.port != 443) {
      connect_to.reset(curl_slist_append(nullptr, (host + ":443:" + place.host + ":" + std::to_string(place.port)).c_str()));
      set(CURLOPT_CONNECT_TO, connect_to.get());
    }
  }
  template <class T>
  void set(CURLoption option, T value) {
    if (const auto failed = curl_easy_setopt(curl.get(), option, value); failed != CURLE_OK)
      throw Failure("HTTPS to " + url + ": " + curl_easy_strerror(failed));
  }
  void header(const std::string& text) { headers.reset(curl_slist_append(headers.release(), text.c_str())); }
  long perform() {
    set(CURLOPT_HTTPHEADER, headers.get());
    char why[CURL_ERROR_SIZE] = "";
    set(CURLOPT_ERRORBUFFER, why);
    const auto failed = curl_easy_perform(curl.get());
    set(CURLOPT_ERRORBUFFER, nullptr);
    if (failed != CURLE_OK) throw Failure("HTTPS to " + url + ": " + (why[0] != '\0' ? why : curl_easy_strerror(failed)));
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
};

HttpsReply HttpsClient::get(const std::string& url, std::size_t most) const {
  Handle handle(*this, url);
  Collected collected{"", most};
  handle.set(CURLOPT_TIMEOUT, 30L);
  handle.set(CURLOPT_WRITEFUNCTION, collect);
  handle.set(CURLOPT_WRITEDATA, &collected);
  const long status = handle.perform();
  return {status, std::move(collected.bytes)};
}

HttpsReply HttpsClient::post(const std::string& url, const std::string& body, const std::string& token, As as, int limit_s) const {
  Handle handle(*this, url);
  Collected collected{"", 64 * 1024};
  std::string key;
  handle.set(CURLOPT_TIMEOUT, static_cast<long>(limit_s));
  handle.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  handle.set(CURLOPT_POSTFIELDS, body.c_str());
  handle.header("Content-Type: application/json");
  if (!token.empty()) handle.header("Authorization: Bearer " + token);
  if (as == As::Device) {
    handle.set(CURLOPT_SSLCERT, unit_.file("device.crt").c_str());
    key = unit_.private_key("device.key");
    curl_blob in_memory{key.data(), key.size(), CURL_BLOB_NOCOPY};
    handle.set(CURLOPT_SSLKEY_BLOB, &in_memory);
  }
  handle.set(CURLOPT_WRITEFUNCTION, collect);
  handle.set(CURLOPT_WRITEDATA, &collected);
  const long status = handle.perform();
  return {status, std::move(collected.bytes)};
}

long HttpsClient::download(const std::string& url, const std::filesystem::path& file, std::uint64_t most) const {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) throw Failure("download: cannot open " + file.string() + "; is the data partition writable?");
  const auto have = static_cast<std::uint64_t>(::lseek(fd.get(), 0, SEEK_END));
  if (have == most) return 206;
  Handle handle(*this, url);
  Download download{handle.curl.get(), fd.get(), have, most};
  if (have > 0) handle.header("Range: bytes=" + std::to_string(have) + "-");
  // No limit on the whole, which may be slow; one on standing still.
  handle.set(CURLOPT_LOW_SPEED_LIMIT, 512L);
  handle.set(CURLOPT_LOW_SPEED_TIME, 30L);
  handle.set(CURLOPT_TIMEOUT, 3600L);
  handle.set(CURLOPT_WRITEFUNCTION, store);
  handle.set(CURLOPT_WRITEDATA, &download);
  const long status = handle.perform();
  if (::fsync(fd.get()) != 0) throw Failure("download: cannot sync " + file.string());
  return status;
}

}  // namespace ht1
