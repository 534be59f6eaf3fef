#pragma once
// What the parts of a request are measured with.
#include <string_view>

#include "lb/http/head_writer.h"

namespace rr::bench {

constexpr std::string_view kSmallRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kBrowserRequest =
    "GET /cart?id=7 HTTP/1.1\r\nHost: shop.example.com\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";
constexpr std::string_view kPost =
    "POST /orders HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nDate: Sun, 22 Nov 2026 20:45:42 GMT\r\nETag: \"5f3c\"\r\n"
    "Cache-Control: no-cache\r\nContent-Length: 0\r\n\r\n";

inline ForwardContext context() {
  return {.client_ip = "203.0.113.9",
          .scheme = "http",
          .port = "8080",
          .trace_root = "Root=1-67891233-abcdef012345678912345678",
          .trace_self = "Self=1-67891234-12456789abcdef012345678a",
          .default_host = "lb.example"};
}

}  // namespace rr::bench
