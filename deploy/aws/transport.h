#pragma once
// HTTP by libcurl, one request at a time. AWS's signature (Signature Version 4) is libcurl's too.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"

namespace rr::deploy {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: a user's long-lived key
  std::string source;         // for messages: "the environment", "profile staging"
};

struct Signing {
  std::string service;  // "autoscaling", as the credential scope has it
  std::string region;
  Credentials credentials;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<Signing> signing;
  Duration connect_timeout = std::chrono::seconds(5);
  Duration timeout = std::chrono::seconds(20);  // for all of it
  bool reuse = true;                            // a kept connection may be used
  std::string connect_to;  // "HOST:PORT" in place of the URL's, which stays the name; empty: the URL's
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

/// Why there was no response, in libcurl's words, without credentials.
using Send = std::function<Result<HttpResponse>(const HttpRequest&)>;

class Transport {
 public:
  Transport();
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  Result<HttpResponse> send(const HttpRequest& request);
  /// Asked while a transfer goes on; true ends it ("interrupted").
  void interrupt_when(std::function<bool()> wanted);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

/// For a path or a query: everything but unreserved characters of RFC 3986 as %XX; '/' is kept when `keep_slash`.
std::string percent_encoded(const std::string& text, bool keep_slash = false);

}  // namespace rr::deploy
