// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "io/http.h"
#include "keeper/driver.h"
#include "keeper/output_board.h"

namespace hilcop {

/// The keys of an instrument at an HTTP address, and then its own.
std::vector<KeySpec> http_keys(std::vector<KeySpec> own);
/// "HOST:PORT" of a configuration with those keys; the port that it does not say is that of its scheme.
std::string http_address(const InstrumentConfig& instrument);

/// Outputs that are switched by HTTP requests. Opening looks the host up and sends nothing.
class HttpBoard : public OutputBoard {
 protected:
  /// `what`: "plug", "pdudaemon". config may have login_keys() (else `login` must be given as it is).
  HttpBoard(const std::string& what, const InstrumentConfig& instrument, std::vector<Channel> channels, HttpLogin login);
  /// The login of a configuration with login_keys(); `user` without a password is nobody.
  static HttpLogin login_of(const InstrumentConfig& instrument, HttpAuth how);

  std::string ask(const HttpRequest& request, Deadline deadline) const { return client_.body(request, limited(deadline)); }
  /// Its body as a JSON object. Error{Protocol} for anything else.
  nlohmann::json ask_json(const HttpRequest& request, Deadline deadline) const;
  HttpAnswer raw(const HttpRequest& request, Deadline deadline) const { return client_.ask(request, limited(deadline)); }
  const HttpClient& client() const { return client_; }

 private:
  Deadline limited(Deadline deadline) const { return deadline.at_most(timeout_); }

  std::chrono::milliseconds timeout_;
  HttpClient client_;
};

/// The JSON object in a text, or null.
nlohmann::json json_object(const std::string& text);

}  // namespace hilcop
