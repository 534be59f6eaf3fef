#include "deploy/aws/transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace rr::deploy {
namespace {

// More than any answer of these APIs, and little enough to be held.
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

struct Reception {
  HttpResponse response;
  const std::function<bool()>* interrupt = nullptr;
};

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& body = static_cast<Reception*>(to)->response.body;
  if (body.size() + size * count > kMostBytes) return 0;
  body.append(bytes, size * count);
  return size * count;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* to) {
  const std::string line(bytes, size * count);
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return size * count;
  std::string name = line.substr(0, colon);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) { return std::tolower(letter); });
  const std::size_t first = line.find_first_not_of(" \t", colon + 1);
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  static_cast<Reception*>(to)->response.headers[name] =
      first == std::string::npos || last < first ? "" : line.substr(first, last - first + 1);
  return size * count;
}

int on_progress(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* interrupt = static_cast<Reception*>(to)->interrupt;
  return interrupt != nullptr && *interrupt && (*interrupt)() ? 1 : 0;
}

long milliseconds(Duration span) { return std::max(1L, std::chrono::ceil<std::chrono::milliseconds>(span).count()); }

/// A file of certificate authorities that are trusted in place of the system's: as the AWS CLI is told of one for AWS,
/// and curl for everybody.
const char* own_authorities(bool for_aws) {
  const auto file_of = [](const char* variable) {
    const char* file = std::getenv(variable);
    return file != nullptr && *file != '\0' ? file : nullptr;
  };
  const char* of_aws = for_aws ? file_of("AWS_CA_BUNDLE") : nullptr;
  return of_aws != nullptr ? of_aws : file_of("SSL_CERT_FILE");
}

class StringList {
 public:
  ~StringList() { curl_slist_free_all(list_); }
  StringList() = default;
  StringList(const StringList&) = delete;
  StringList& operator=(const StringList&) = delete;
  void add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

void set_method(CURL* curl, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void set_signature(CURL* curl, const HttpRequest& request, StringList& headers) {
  if (!request.signing) return;
  const Signing& signing = *request.signing;
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, fmt::format("aws:amz:{}:{}", signing.region, signing.service).c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, signing.credentials.access_key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, signing.credentials.secret_access_key.c_str());
  if (!signing.credentials.session_token.empty()) {
    headers.add("X-Amz-Security-Token: " + signing.credentials.session_token);
  }
}

}  // namespace

struct Transport::Handle {
  CURL* curl = nullptr;
  std::function<bool()> interrupt;
};

Transport::Transport() : handle_(std::make_unique<Handle>()) {
  static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
  RR_CHECK(once == CURLE_OK, "libcurl does not start");
  handle_->curl = curl_easy_init();
  RR_CHECK(handle_->curl != nullptr, "libcurl gives no handle");
}

Transport::~Transport() { curl_easy_cleanup(handle_->curl); }

void Transport::interrupt_when(std::function<bool()> wanted) { handle_->interrupt = std::move(wanted); }

Result<HttpResponse> Transport::send(const HttpRequest& request) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // keeps connections
  Reception reception;
  reception.interrupt = &handle_->interrupt;
  StringList headers;
  for (const auto& [name, value] : request.headers) headers.add(fmt::format("{}: {}", name, value));
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "rr-deploy");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.connect_timeout));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout));
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, request.reuse ? 0L : 1L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, request.reuse ? 0L : 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reception);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reception);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &reception);
  if (const char* bundle = own_authorities(request.signing.has_value())) curl_easy_setopt(curl, CURLOPT_CAINFO, bundle);
  StringList places;
  if (!request.connect_to.empty()) places.add("::" + request.connect_to);
  curl_easy_setopt(curl, CURLOPT_CONNECT_TO, places.get());
  set_method(curl, request);
  set_signature(curl, request, headers);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  const CURLcode code = curl_easy_perform(curl);
  if (code == CURLE_ABORTED_BY_CALLBACK) return Error{"interrupted"};
  if (code == CURLE_OPERATION_TIMEDOUT) return Error{"slower than " + format_duration(request.timeout)};
  if (code == CURLE_PEER_FAILED_VERIFICATION) return Error{"its certificate is for another name, or of nobody trusted"};
  if (code != CURLE_OK) return Error{curl_easy_strerror(code)};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reception.response.status = static_cast<int>(status);
  return std::move(reception.response);
}

std::string percent_encoded(const std::string& text, bool keep_slash) {
  std::string encoded;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = std::isalnum(byte) || letter == '-' || letter == '_' || letter == '.' || letter == '~' ||
                       (keep_slash && letter == '/');
    if (plain) {
      encoded += letter;
    } else {
      encoded += fmt::format("%{:02X}", byte);
    }
  }
  return encoded;
}

}  // namespace rr::deploy
