// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"

namespace hilcop {

struct HttpServer {
  std::string host;
  int port = 80;
  bool tls = false;
  std::filesystem::path ca_file;  // whose certificates are trusted; empty: those that this host trusts
  bool any_certificate = false;   // no look at the certificate: who answers may be anybody
};

enum class HttpAuth { None, Basic, Digest };

/// `user` and `password` may also be there for a request that carries them by itself (HttpAuth::None): errors never show them.
struct HttpLogin {
  HttpAuth how = HttpAuth::None;
  std::string user, password;
};

struct HttpRequest {
  std::string target;  // "/relay/0?turn=on", escaped
  std::string method = "GET";
  std::vector<std::string> headers = {};  // "Name: value"
  std::string body = {};
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// Requests to one server, each on a connection of its own (small devices serve one client at a time, and forget digest nonces when they
/// restart). Follows no redirect, uses no proxy. Not ended by Ctrl-C: the keeper switches to safe states after one.
class HttpClient {
 public:
  /// Looks the host up, once. Throws Error{NotFound, Timeout} on `object`.
  HttpClient(HttpServer server, HttpLogin login, std::string object, Deadline deadline);

  /// Any answer but a redirect and a refused login. Ends by the deadline whatever the other side does; throws Error on `object`: Timeout,
  /// Disconnected (nobody listens, closed half-way), PermissionDenied (401, 403), Protocol (no HTTP, a body over 64 KiB, a redirect),
  /// Config (certificate, target).
  HttpAnswer ask(const HttpRequest& request, Deadline deadline) const;
  /// Its body; any status but 2xx is an Error{Protocol} with what the server said.
  std::string body(const HttpRequest& request, Deadline deadline) const;
  /// Error{Protocol} for an answer that cannot be what was asked for; shows its begin, without the password.
  Error unfit(const HttpRequest& request, const HttpAnswer& answer, const std::string& cause, const std::string& remedy) const;
  /// With *** for the password.
  std::string without_secrets(std::string text) const;

 private:
  Error failed(int code, int why, const std::string& said, const std::string& what) const;

  HttpServer server_;
  HttpLogin login_;
  std::string object_, base_, resolve_;
};

/// Percent-encoded, for a part of a target.
std::string url_escaped(std::string_view text);

}  // namespace hilcop
