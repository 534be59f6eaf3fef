#include "lb/http/start_line.h"

#include "lb/http/characters.h"

namespace rr {
namespace {

std::optional<ParseError> parse_version(std::string_view text, int& major, int& minor) {
  const bool shaped =
      text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
  if (!shaped) return ParseError::kBadSyntax;
  major = text[5] - '0';
  minor = text[7] - '0';
  if (major != 1 || minor > 1) return ParseError::kBadVersion;
  return std::nullopt;
}

/// No blank, control or non-ASCII byte; no fragment, which must not be sent and which some cut off and some do not.
bool has_target_characters(std::string_view target) {
  for (char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '#') return false;
  }
  return true;
}

bool is_target_form(std::string_view target, std::string_view method) {
  if (target.starts_with('/')) return true;
  if (target == "*") return method == "OPTIONS";
  return split_absolute_target(target).has_value();
}

}  // namespace

std::optional<AbsoluteTarget> split_absolute_target(std::string_view target) {
  for (std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (!equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = target.find_first_of("/?");
    AbsoluteTarget parts;
    parts.authority = target.substr(0, end);
    if (end != std::string_view::npos) parts.rest = target.substr(end);
    if (parts.authority.empty() || parts.authority.find_first_of("@,\\\"<>") != std::string_view::npos) return {};
    if (!has_proper_port(parts.authority)) return {};
    return parts;
  }
  return std::nullopt;
}

bool has_proper_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  std::string_view rest = bracket == std::string_view::npos ? host : host.substr(bracket + 1);
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return bracket == std::string_view::npos || rest.empty();
  if (bracket != std::string_view::npos && colon != 0) return false;
  for (char c : rest.substr(colon + 1)) {
    if (!is_digit(c)) return false;
  }
  return true;
}

std::optional<ParseError> parse_request_line(std::string_view line, RequestView& request) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return ParseError::kBadSyntax;
  const std::size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return ParseError::kBadSyntax;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  if (!is_token(request.method) || request.target.empty()) return ParseError::kBadSyntax;
  if (!has_target_characters(request.target)) return ParseError::kBadSyntax;
  if (auto error = parse_version(line.substr(second + 1), request.major, request.minor)) return error;
  if (request.method == "CONNECT" || !is_target_form(request.target, request.method)) return ParseError::kBadSyntax;
  request.version = line.substr(second + 1);
  return std::nullopt;
}

namespace {

/// Whether the bytes that are no URI characters can be written percent-encoded without changing what is meant.
bool can_be_encoded(std::string_view target) {
  if (target.find_first_of(std::string_view("\r\n\0#", 4)) != std::string_view::npos) return false;
  const auto absolute = split_absolute_target(target);
  if (!absolute) return true;
  for (char c : absolute->authority) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
  }
  return true;
}

}  // namespace

std::optional<ParseError> parse_unclean_request_line(std::string_view line, RequestView& request,
                                                     std::optional<ParseError>& unsafe) {
  const std::string_view whole = line;
  while (line.ends_with(' ')) line.remove_suffix(1);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || first == last) return ParseError::kBadSyntax;
  std::string_view target = line.substr(first + 1, last - first - 1);
  const std::size_t target_size = target.size();
  while (target.starts_with(' ')) target.remove_prefix(1);
  while (target.ends_with(' ')) target.remove_suffix(1);
  if (target.empty()) return ParseError::kBadSyntax;
  request.method = line.substr(0, first);
  request.target = target;
  const bool more_spaces = line.size() != whole.size() || target.size() != target_size;
  request.version = line.substr(more_spaces ? last : last + 1);
  const std::optional<ParseError> version = parse_version(line.substr(last + 1), request.major, request.minor);
  if (version && !(request.major == 1 && *version == ParseError::kBadVersion)) unsafe = version;
  if (request.major == 1 && request.minor > 1) request.minor = 1;
  if (unsafe) return std::nullopt;  // what another version means by the rest is not known
  const bool has_meaning = is_token(request.method) && request.method != "CONNECT" &&
                           is_target_form(target, request.method) && can_be_encoded(target);
  if (!has_meaning) unsafe = ParseError::kBadSyntax;
  return std::nullopt;
}

std::optional<ParseError> parse_status_line(std::string_view line, ResponseView& response) {
  if (line.size() < 12 || line[8] != ' ' || has_control(line)) return ParseError::kBadSyntax;
  if (auto error = parse_version(line.substr(0, 8), response.major, response.minor)) return error;
  int status = 0;
  for (char c : line.substr(9, 3)) {
    if (!is_digit(c)) return ParseError::kBadSyntax;
    status = status * 10 + (c - '0');
  }
  if (status < 100) return ParseError::kBadSyntax;
  if (line.size() > 12 && line[12] != ' ') return ParseError::kBadSyntax;
  response.status = status;
  response.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  return std::nullopt;
}

}  // namespace rr
