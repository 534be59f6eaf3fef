#pragma once
// The parts of a request that rules, redirects and transforms look at.
#include <string>
#include <string_view>

#include "lb/base/request_view.h"

namespace rr {

/// Spans into the head. Nothing is decoded or normalised.
struct RequestParts {
  std::string_view authority;  // "Shop.example.com:8080": of an absolute-form target, else the first Host header's
  std::string_view host;       // the same without its port
  std::string_view path;       // "/cart", "*" for OPTIONS *; "/" where an absolute-form target has none
  std::string_view query;      // "id=7", without its question mark and up to a '#'
  bool has_query = false;      // "/cart?" has an empty one
};

/// An absolute-form target overrides Host (RFC 9112 section 3.2.2, and so does the ALB).
RequestParts split_request(const RequestView& request);

/// "[::1]:80" and "shop.example.com:80" without the port.
std::string_view without_port(std::string_view authority);

/// The text with everything that is no visible ASCII character as %XX: what stands in a URL that is written anew. A
/// head that the desync mitigation let pass may hold such bytes.
std::string percent_encoded(std::string_view text);

/// The path as path-pattern conditions see it. That the ALB normalises it is documented, how is not; here the steps of
/// RFC 3986 section 6.2.2 that keep its meaning:
///   - %XX of a letter, a digit or one of -._~ is that character (6.2.2.2), other %XX get upper-case digits (6.2.2.1)
///   - then dot segments are removed, so that encoded ones count too (6.2.2.3, 5.2.4)
///   - empty segments stay: //a is not /a
/// What is no %XX stays as it is. Returns `path` itself when there is nothing to do; otherwise the result stands in
/// `scratch`, never longer than the path. The target still gets the path as the client sent it.
std::string_view normalise_path(std::string_view path, std::string& scratch);

}  // namespace rr
