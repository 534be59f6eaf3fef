#include "lb/policy/request_parts.h"

#include <algorithm>

namespace rr {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

std::string_view after_scheme(std::string_view target) {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (target.size() > scheme.size() && equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      return target.substr(scheme.size());
    }
  }
  return {};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = ascii_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool is_unreserved(char c) {
  const char low = ascii_lower(c);
  return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void append_decoded(std::string& out, std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[i + 2]) : -1;
    if (low < 0) {
      out += path[i];
      continue;
    }
    i += 2;
    const char c = static_cast<char>(high * 16 + low);
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += {'%', kHex[high], kHex[low]};
    }
  }
}

/// RFC 3986 section 5.2.4, in place: what is kept only moves towards the front.
void remove_dot_segments(std::string& path) {
  std::size_t out = 0;
  for (std::size_t in = 0; in < path.size();) {
    // A segment with the slash before it.
    std::size_t end = path.find('/', in + 1);
    if (end == std::string::npos) end = path.size();
    const std::string_view segment = std::string_view(path).substr(in, end - in);
    const bool last = end == path.size();
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") {
        const std::size_t slash = out == 0 ? std::string::npos : path.rfind('/', out - 1);
        out = slash == std::string::npos ? 0 : slash;
      }
      if (last) path[out++] = '/';
    } else {
      out = static_cast<std::size_t>(
          std::copy(segment.begin(), segment.end(), path.begin() + static_cast<std::ptrdiff_t>(out)) - path.begin());
    }
    in = end;
  }
  path.resize(out);
}

}  // namespace

std::string_view without_port(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  return authority.substr(0, authority.find(':', bracket == std::string_view::npos ? 0 : bracket));
}

RequestParts split_request(const RequestView& request) {
  RequestParts parts;
  std::string_view rest = request.target;
  if (const std::string_view absolute = rest.starts_with('/') ? std::string_view() : after_scheme(rest);
      !absolute.empty()) {
    const std::size_t end = absolute.find_first_of("/?#");
    parts.authority = absolute.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : absolute.substr(end);
  } else {
    parts.authority = request.header("host").value_or(std::string_view());
  }
  parts.host = without_port(parts.authority);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t question = rest.find('?');
  parts.path = rest.substr(0, question);
  if (parts.path.empty()) parts.path = "/";
  parts.has_query = question != std::string_view::npos;
  if (parts.has_query) parts.query = rest.substr(question + 1);
  return parts;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string_view normalise_path(std::string_view path, std::string& scratch) {
  if (path.find('%') == std::string_view::npos && path.find("/.") == std::string_view::npos) return path;
  scratch.clear();
  append_decoded(scratch, path);
  if (scratch.find("/.") != std::string::npos) remove_dot_segments(scratch);
  return scratch;
}

}  // namespace rr
