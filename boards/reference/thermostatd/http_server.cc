// SPDX-License-Identifier: Apache-2.0
#include "http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>

#include "error.h"

namespace ht1 {
namespace {

// TLS 1.2 and 1.3 with forward secrecy and AEAD only.
constexpr const char* kTls =
    "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AEAD:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+ECDHE-ECDSA:+SIGN-ALL:-SIGN-RSA-SHA1:"
    "-SIGN-ECDSA-SHA1:-SIGN-DSA-SHA1:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+COMP-NULL:+CTYPE-X509:%SERVER_PRECEDENCE";
constexpr const char* kOldTls = "LEGACY:+VERS-TLS1.0:+VERS-TLS1.1:%VERIFY_ALLOW_SIGN_WITH_SHA1";

struct Exchange {
  HttpRequest request;
  bool too_big = false;
};

MHD_Result answer(MHD_Connection* connection, const HttpResponse& response) {
  MHD_Response* made =
      MHD_create_response_from_buffer(response.body.size(), const_cast<char*>(response.body.data()), MHD_RESPMEM_MUST_COPY);
  if (made == nullptr) return MHD_NO;
  MHD_add_response_header(made, "Content-Type", response.type.c_str());
  MHD_add_response_header(made, "Cache-Control", "no-store");
  MHD_add_response_header(made, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(made, "Strict-Transport-Security", "max-age=31536000");
  MHD_add_response_header(made, "Content-Security-Policy",
                          "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  if (response.retry_after_s > 0) MHD_add_response_header(made, "Retry-After", std::to_string(response.retry_after_s).c_str());
  const auto queued = MHD_queue_response(connection, response.status, made);
  MHD_destroy_response(made);
  return queued;
}

std::string header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

}  // namespace

struct HttpServer::Inside {
  HttpSettings settings;
  HttpHandler handler;
  MHD_Daemon* daemon = nullptr;
  // Since when each connection has been waiting for a whole request: slow writers are cut off by the reaper.
  std::mutex mutex;
  std::condition_variable wake;
  std::map<MHD_Connection*, std::pair<int, std::chrono::steady_clock::time_point>> waiting;
  bool stopping = false;
  std::thread reaper;

  void reap() {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, std::chrono::seconds(1), [this] { return stopping; })) {
      const auto oldest = std::chrono::steady_clock::now() - std::chrono::seconds(settings.request_limit_s);
      for (const auto& [connection, one] : waiting)
        if (one.second < oldest) ::shutdown(one.first, SHUT_RDWR);
    }
  }

  static MHD_Result access(void* self, MHD_Connection* connection, const char* url, const char* method, const char*, const char* upload,
                           std::size_t* size, void** state) {
    const auto& inside = *static_cast<Inside*>(self);
    auto* exchange = static_cast<Exchange*>(*state);
    if (exchange == nullptr) {
      exchange = new Exchange{{method, url, "", ""}, false};
      *state = exchange;
      if (const auto with = header(connection, "Authorization"); with.starts_with("Bearer ")) exchange->request.token = with.substr(7);
      const auto length = header(connection, "Content-Length");
      std::size_t announced = 0;
      std::from_chars(length.data(), length.data() + length.size(), announced);
      if (announced > inside.settings.most_body) return answer(connection, {413, R"({"error":"the body has more than 64 KiB"})"});
      return MHD_YES;
    }
    if (*size > 0) {
      if (exchange->request.body.size() + *size > inside.settings.most_body)
        exchange->too_big = true;
      else
        exchange->request.body.append(upload, *size);
      *size = 0;
      return MHD_YES;
    }
    if (exchange->too_big) return answer(connection, {413, R"({"error":"the body has more than 64 KiB"})"});
    return answer(connection, inside.handler(exchange->request));
  }

  static void completed(void* self, MHD_Connection* connection, void** state, MHD_RequestTerminationCode) {
    delete static_cast<Exchange*>(*state);
    *state = nullptr;
    auto& inside = *static_cast<Inside*>(self);
    const std::lock_guard lock(inside.mutex);
    if (const auto found = inside.waiting.find(connection); found != inside.waiting.end())
      found->second.second = std::chrono::steady_clock::now();
  }

  static void connection_changed(void* self, MHD_Connection* connection, void**, MHD_ConnectionNotificationCode code) {
    auto& inside = *static_cast<Inside*>(self);
    const std::lock_guard lock(inside.mutex);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
      inside.waiting[connection] = {info->connect_fd, std::chrono::steady_clock::now()};
    } else {
      inside.waiting.erase(connection);
    }
  }
};

HttpServer::HttpServer(const HttpSettings& settings, HttpHandler handler) : inside_(std::make_unique<Inside>()) {
  inside_->settings = settings;
  inside_->handler = std::move(handler);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(settings.port));
  if (::inet_pton(AF_INET, settings.address.c_str(), &address.sin_addr) != 1)
    throw Failure("HTTP server: '" + settings.address + "' is no IPv4 address; give --address one of this host's");
  const bool tls = !settings.key.empty();
  const MHD_OptionItem with_tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, const_cast<char*>(settings.key.c_str())},
                                     {MHD_OPTION_HTTPS_MEM_CERT, 0, const_cast<char*>(settings.certificate.c_str())},
                                     {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(settings.old_tls ? kOldTls : kTls)},
                                     {MHD_OPTION_END, 0, nullptr}};
  const MHD_OptionItem without[] = {{MHD_OPTION_END, 0, nullptr}};
  // A thread for each connection, of which there are few: a slow one delays nobody else.
  inside_->daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | (tls ? unsigned{MHD_USE_TLS} : 0u), 0, nullptr, nullptr,
      &Inside::access, inside_.get(), MHD_OPTION_SOCK_ADDR, reinterpret_cast<sockaddr*>(&address), MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
      MHD_OPTION_CONNECTION_LIMIT, settings.most_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, settings.most_of_one_address,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, std::size_t{32 * 1024}, MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_NOTIFY_COMPLETED,
      &Inside::completed, inside_.get(), MHD_OPTION_NOTIFY_CONNECTION, &Inside::connection_changed, inside_.get(), MHD_OPTION_ARRAY,
      tls ? with_tls : without, MHD_OPTION_END);
  if (inside_->daemon == nullptr)
    throw Failure("HTTP server on " + settings.address + ":" + std::to_string(settings.port) +
                  ": does not start; is the port free and allowed, is tls.key the key of tls.crt?");
  inside_->reaper = std::thread([inside = inside_.get()] { inside->reap(); });
}

HttpServer::~HttpServer() {
  if (inside_->daemon != nullptr) MHD_stop_daemon(inside_->daemon);
  {
    const std::lock_guard lock(inside_->mutex);
    inside_->stopping = true;
  }
  inside_->wake.notify_all();
  if (inside_->reaper.joinable()) inside_->reaper.join();
}

int HttpServer::port() const { return MHD_get_daemon_info(inside_->daemon, MHD_DAEMON_INFO_BIND_PORT)->port; }

}  // namespace ht1
