// SPDX-License-Identifier: Apache-2.0
// HTTPS for a small device: everything that a client can take (connections, memory, time, body) has an end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ht1 {

struct HttpRequest {
  std::string method, path, token, body;
};

struct HttpResponse {
  unsigned status = 200;
  std::string body = "{}", type = "application/json";
  int retry_after_s = 0;
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpSettings {
  std::string address = "0.0.0.0";
  int port = 443;
  std::string key = {}, certificate = {};  // PEM; both empty: plain HTTP
  bool old_tls = false;
  std::size_t most_body = 64 * 1024;
  unsigned most_connections = 32, most_of_one_address = 16;
  int request_limit_s = 15;
};

class HttpServer {
 public:
  HttpServer(const HttpSettings& settings, HttpHandler handler);
  ~HttpServer();
  int port() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace ht1
