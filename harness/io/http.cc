// SPDX-License-Identifier: Apache-2.0
#include "io/http.h"

#include <curl/curl.h>

#include <array>
#include <cerrno>
#include <memory>

#include <fmt/format.h>

#include "io/exchange.h"
#include "io/host_address.h"

namespace hilcop {
namespace {

constexpr std::size_t kLargestBody = 64 * 1024;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using List = std::unique_ptr<curl_slist, FreeHeaders>;

struct Coming {
  std::string body;
  bool too_large = false;
  bool headers_whole = false;
};

std::size_t take(const char* bytes, std::size_t, std::size_t count, void* into) {
  auto& coming = *static_cast<Coming*>(into);
  coming.too_large = coming.body.size() + count > kLargestBody;
  if (coming.too_large) return 0;
  coming.body.append(bytes, count);
  return count;
}

// libcurl takes a connection that is closed among the headers for an empty answer: an empty line ends them (RFC 9112 2.1).
std::size_t take_header(const char* bytes, std::size_t, std::size_t count, void* into) {
  const std::string_view line(bytes, count);
  static_cast<Coming*>(into)->headers_whole = line == "\r\n" || line == "\n";
  return count;
}

// curl_global_init() is not safe beside another thread of itself.
void initialise() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (done != CURLE_OK) throw Error(ErrorKind::Exhausted, "libcurl", curl_easy_strerror(done));
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; !what.empty() && (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

// RFC 3986 3.2.2: an IPv6 address in a URL has brackets, and % for its zone is escaped (RFC 6874).
std::string in_url(std::string host) {
  if (host.find(':') == std::string::npos) return host;
  replace_all(host, "%", "%25");
  return "[" + host + "]";
}

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  if (const auto code = curl_easy_setopt(handle, option, value); code != CURLE_OK)
    throw Error(ErrorKind::Unsupported, "libcurl", fmt::format("option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
}

List list_of(const std::vector<std::string>& lines) {
  List list;
  for (const auto& line : lines) {
    auto* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw Error(ErrorKind::Exhausted, "libcurl", "no memory");
    if (longer != list.get()) list.reset(longer);
  }
  return list;
}

void set_limits(CURL* handle, Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.remaining()).count();
  set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left, 1)));  // 0 would be: no limit
  set(handle, CURLOPT_NOSIGNAL, 1L);
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle, CURLOPT_PROXY, "");  // also none from the environment
  set(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
}

void set_request(CURL* handle, const HttpRequest& request) {
  set(handle, CURLOPT_USERAGENT, "hilcop");
  if (request.method != "GET" || !request.body.empty()) {
    set(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(handle, CURLOPT_POSTFIELDS, request.body.c_str());
  }
}

void set_tls(CURL* handle, const HttpServer& server) {
  if (!server.tls) return;
  set(handle, CURLOPT_SSL_VERIFYPEER, server.any_certificate ? 0L : 1L);
  set(handle, CURLOPT_SSL_VERIFYHOST, server.any_certificate ? 0L : 2L);
  if (!server.ca_file.empty()) set(handle, CURLOPT_CAINFO, server.ca_file.c_str());
}

void set_login(CURL* handle, const HttpLogin& login) {
  if (login.how == HttpAuth::None) return;
  set(handle, CURLOPT_HTTPAUTH, static_cast<long>(login.how == HttpAuth::Basic ? CURLAUTH_BASIC : CURLAUTH_DIGEST));
  set(handle, CURLOPT_USERNAME, login.user.c_str());
  set(handle, CURLOPT_PASSWORD, login.password.c_str());
}

}  // namespace

HttpClient::HttpClient(HttpServer server, HttpLogin login, std::string object, Deadline deadline)
    : server_(std::move(server)), login_(std::move(login)), object_(std::move(object)) {
  initialise();
  // libcurl joins its resolver thread at a time-out, however long that takes: it never gets to look a name up.
  const auto address = numeric_host(server_.host, object_, deadline);
  if (address != server_.host) resolve_ = fmt::format("{}:{}:{}", in_url(server_.host), server_.port, in_url(address));
  base_ = fmt::format("{}://{}:{}", server_.tls ? "https" : "http", in_url(server_.host), server_.port);
}

HttpAnswer HttpClient::ask(const HttpRequest& request, Deadline deadline) const {
  const auto what = request.method + " " + without_secrets(request.target);
  if (deadline.expired()) throw failed(CURLE_OPERATION_TIMEDOUT, 0, "", what);
  const Easy handle(curl_easy_init());
  if (!handle) throw Error(ErrorKind::Exhausted, object_, "no memory for a request");
  const auto url = base_ + request.target;
  const auto headers = list_of(request.headers), resolve = list_of(resolve_.empty() ? std::vector<std::string>{} : std::vector{resolve_});
  Coming coming;
  std::array<char, CURL_ERROR_SIZE> said{};
  set(handle.get(), CURLOPT_ERRORBUFFER, said.data());
  set(handle.get(), CURLOPT_URL, url.c_str());
  set(handle.get(), CURLOPT_RESOLVE, resolve.get());
  set(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  set(handle.get(), CURLOPT_WRITEFUNCTION, &take);
  set(handle.get(), CURLOPT_WRITEDATA, static_cast<void*>(&coming));
  set(handle.get(), CURLOPT_HEADERFUNCTION, &take_header);
  set(handle.get(), CURLOPT_HEADERDATA, static_cast<void*>(&coming));
  set_limits(handle.get(), deadline);
  set_request(handle.get(), request);
  set_tls(handle.get(), server_);
  set_login(handle.get(), login_);
  const auto code = curl_easy_perform(handle.get());
  long status = 0, why = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle.get(), CURLINFO_OS_ERRNO, &why);
  if (coming.too_large)
    throw Error(ErrorKind::Protocol, object_, fmt::format("{}: its answer is larger than {} KiB", what, kLargestBody / 1024),
                "see whether it is the instrument that lab-config says");
  if (code != CURLE_OK) throw failed(code, static_cast<int>(why), said.data(), what);
  if (!coming.headers_whole) throw failed(CURLE_PARTIAL_FILE, 0, "", what);
  HttpAnswer answer{static_cast<int>(status), std::move(coming.body)};
  if (status == 401 || status == 403)
    throw Error(
        ErrorKind::PermissionDenied, object_,
        fmt::format("{}: it refuses {} (status {})", what, login_.user.empty() ? "who has no login" : "the user or the password", status),
        "give its `user:` and `password_file:` in lab-config");
  if (status >= 300 && status < 400) {
    const char* elsewhere = nullptr;
    curl_easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &elsewhere);
    throw Error(ErrorKind::Protocol, object_,
                fmt::format("{}: it sends us elsewhere (status {}, {})", what, status,
                            elsewhere != nullptr ? shown(without_secrets(elsewhere)) : "it does not say where"),
                "give the address and the `scheme:` that it really has in lab-config");
  }
  return answer;
}

std::string HttpClient::body(const HttpRequest& request, Deadline deadline) const {
  auto answer = ask(request, deadline);
  if (answer.status < 200 || answer.status > 299)
    throw unfit(request, answer, fmt::format("it answers with status {}", answer.status),
                "check lab-config against the instrument's manual");
  return std::move(answer.body);
}

Error HttpClient::unfit(const HttpRequest& request, const HttpAnswer& answer, const std::string& cause, const std::string& remedy) const {
  return {ErrorKind::Protocol, object_,
          fmt::format("{} {}: {}: {}", request.method, without_secrets(request.target), cause,
                      answer.body.empty() ? "nothing more" : shown(without_secrets(answer.body))),
          remedy};
}

std::string HttpClient::without_secrets(std::string text) const {
  replace_all(text, login_.password, "***");
  replace_all(text, url_escaped(login_.password), "***");
  return text;
}

Error HttpClient::failed(int code, int why, const std::string& said, const std::string& what) const {
  const auto detail = without_secrets(said.empty() ? curl_easy_strerror(static_cast<CURLcode>(code)) : said);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorKind::Timeout, object_, what + ": it did not answer in time",
              "check its power, its network and its address, or give `timeout_ms:`"};
    case CURLE_COULDNT_CONNECT:
      if (why == ECONNREFUSED)
        return {ErrorKind::Disconnected, object_, what + ": nobody listens there", "see whether it runs and whether its address is right"};
      return why != 0 ? error_from_errno(why, object_, what)
                      : Error(ErrorKind::Disconnected, object_, what + ": " + detail, "check its network");
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return {ErrorKind::Disconnected, object_, what + ": it closed the connection before its answer was whole: " + detail,
              "see whether it restarts, and whether somebody else uses it"};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::Config, object_, what + ": its certificate is not trusted: " + detail,
              "give the certificate of who issued it with `ca_file:`; `insecure: true` goes without"};
    case CURLE_URL_MALFORMAT:
      return {ErrorKind::Config, object_, what + ": is no target of a URL: " + detail, "escape spaces and the like as %20"};
    case CURLE_OUT_OF_MEMORY:
      return {ErrorKind::Exhausted, object_, what + ": no memory"};
    default:
      return {ErrorKind::Protocol, object_, what + ": " + detail,
              "check `scheme:` and `port:`, and that it is the instrument which lab-config says"};
  }
}

std::string url_escaped(std::string_view text) {
  std::string out;
  for (const unsigned char byte : text) {
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
                       byte == '.' || byte == '_' || byte == '~';  // RFC 3986 2.3
    out += plain ? std::string(1, static_cast<char>(byte)) : fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace hilcop
