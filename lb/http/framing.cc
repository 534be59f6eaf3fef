#include "lb/http/framing.h"

#include <array>
#include <limits>

#include "lb/http/characters.h"
#include "lb/http/start_line.h"

namespace rr {
namespace {

/// The fields that decide something, found in one pass.
struct SpecialFields {
  FieldNames names;
  int content_lengths = 0;
  std::string_view content_length;
  bool transfer_encoding = false;
  bool chunked = false;         // the last coding so far
  bool bad_coding = false;      // chunked twice or not last, or an empty element
  bool unknown_coding = false;  // gzip, identity, ...
  bool other_coding = false;    // of these, another one than identity
  int hosts = 0;
  std::string_view host;
  bool close = false;
  bool keep_alive = false;
  bool connection_upgrade = false;
  bool upgrade = false;
  bool expect_continue = false;
};

/// Calls `visit` with each element of a comma-separated list, blanks trimmed, empty ones too.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (true) {
    const std::size_t comma = list.find(',');
    visit(trim_blanks(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

void note_transfer_encoding(SpecialFields& special, std::string_view value) {
  special.transfer_encoding = true;
  for_each_element(value, [&](std::string_view coding) {
    if (special.chunked || coding.empty()) special.bad_coding = true;
    if (equals_ignoring_case(coding, "chunked")) {
      special.chunked = true;
    } else {
      special.unknown_coding = true;
      if (!equals_ignoring_case(coding, "identity")) special.other_coding = true;
    }
  });
}

void note_connection(SpecialFields& special, std::string_view value) {
  for_each_element(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) special.close = true;
    if (equals_ignoring_case(option, "keep-alive")) special.keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) special.connection_upgrade = true;
  });
}

void note(SpecialFields& special, FieldName name, std::string_view value) {
  switch (name) {
    case FieldName::kHost:
      ++special.hosts;
      special.host = value;
      return;
    case FieldName::kExpect:
      special.expect_continue = equals_ignoring_case(value, "100-continue");
      return;
    case FieldName::kUpgrade:
      special.upgrade = true;
      return;
    case FieldName::kConnection:
      note_connection(special, value);
      return;
    case FieldName::kContentLength:
      ++special.content_lengths;
      special.content_length = value;
      return;
    case FieldName::kTransferEncoding:
      note_transfer_encoding(special, value);
      return;
    case FieldName::kOther:
    case FieldName::kTe:
    case FieldName::kTrailer:
    case FieldName::kKeepAlive:
    case FieldName::kXAmznTraceId:
    case FieldName::kXForwardedFor:
    case FieldName::kXForwardedPort:
    case FieldName::kXForwardedProto:
    case FieldName::kProxyConnection:
    case FieldName::kFramingLookalike:
      return;
  }
}

SpecialFields find_special(std::span<const HeaderView> fields) {
  SpecialFields special;
  for (const HeaderView& field : fields) {
    const FieldName name = field_name(field.name);
    if (name == FieldName::kOther) continue;
    special.names.add(name);
    note(special, name, field.value);
  }
  return special;
}

/// Digits only, and no more than a signed 64-bit number holds: others may count with one.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t length = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kMost - digit) / 10) return std::nullopt;
    length = length * 10 + digit;
  }
  return length;
}

struct BodyEnd {
  std::optional<ParseError> error;
  Framing framing = Framing::kNone;  // kNone: the fields do not say
  std::uint64_t length = 0;
};

BodyEnd find_body_end(const SpecialFields& special, int minor) {
  if (special.transfer_encoding) {
    // HTTP/1.0 knows no transfer coding: a peer of that version would find another end (RFC 9112 section 6.1).
    if (special.content_lengths > 0 || special.bad_coding || minor == 0) return {.error = ParseError::kBadFraming};
    if (special.unknown_coding) return {.error = ParseError::kUnknownTransferCoding};
    return {.error = std::nullopt, .framing = Framing::kChunked};
  }
  if (special.content_lengths == 0) return {};
  const std::optional<std::uint64_t> length = parse_length(special.content_length);
  if (special.content_lengths > 1 || !length) return {.error = ParseError::kBadFraming};
  return {.error = std::nullopt, .framing = Framing::kContentLength, .length = *length};
}

bool wants_keep_alive(const SpecialFields& special, int minor) {
  return !special.close && (minor >= 1 || special.keep_alive);
}

enum HostByte : std::uint8_t {
  kOfAName = 0,
  kOfAPort = 1,   // a colon or a bracket: whether there is a port has to be looked at
  kOfNoHost = 2,  // it cannot be in a host and port, or would let two readers see two hosts
};
constexpr std::array<std::uint8_t, 256> kHostTable = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte) table[byte] = byte > 0x20 && byte < 0x7F ? kOfAName : kOfNoHost;
  for (const char c : std::string_view("/?#@\\,\"<>")) table[static_cast<unsigned char>(c)] = kOfNoHost;
  for (const char c : std::string_view(":[]")) table[static_cast<unsigned char>(c)] = kOfAPort;
  return table;
}();

bool is_host(std::string_view text) {
  unsigned seen = kOfAName;
  for (const char c : text) seen |= kHostTable[static_cast<unsigned char>(c)];
  return seen == kOfAName || ((seen & kOfNoHost) == 0 && has_proper_port(text));
}

}  // namespace

std::optional<ParseError> decide_framing(RequestHead& head) {
  const SpecialFields special = find_special(head.view.headers);
  const BodyEnd end = find_body_end(special, head.view.minor);
  if (end.error) return end.error;
  if (special.hosts > 1 || (special.hosts == 0 && head.view.minor >= 1)) return ParseError::kMissingHost;
  if (!is_host(special.host)) return ParseError::kBadSyntax;
  head.framing = end.framing;
  head.content_length = end.length;
  head.keep_alive = wants_keep_alive(special, head.view.minor);
  head.expect_continue = special.expect_continue && head.view.minor >= 1;
  head.upgrade = special.upgrade && special.connection_upgrade && head.view.minor >= 1;
  head.view.names = special.names;
  return std::nullopt;
}

namespace {

/// A field that says something about the message, the connection or the site must be beyond doubt.
bool decides_something(std::string_view name) {
  for (std::string_view one : {"host", "expect", "upgrade", "connection", "content-length", "transfer-encoding"}) {
    if (equals_ignoring_case(name, one)) return true;
  }
  return false;
}

/// Nobody reads a bare CR, a folded framing field or a control byte in one like everybody else.
bool is_beyond_doubt(std::span<const HeaderView> fields) {
  const HeaderView* folded = nullptr;  // the field that a continuation line would continue
  for (const HeaderView& field : fields) {
    if (field.name.find('\r') != std::string_view::npos || field.value.find('\r') != std::string_view::npos)
      return false;
    const bool continues = !field.name.empty() && is_blank(field.name.front());
    if (continues && (folded == nullptr || decides_something(folded->name))) return false;
    if (!continues) folded = &field;
    if (decides_something(field.name) && has_control(field.value)) return false;
  }
  return true;
}

/// The number that all Content-Length fields agree on.
std::optional<ParseError> agree_on_length(std::span<const HeaderView> fields, std::optional<std::uint64_t>& length) {
  for (const HeaderView& field : fields) {
    if (!equals_ignoring_case(field.name, "content-length")) continue;
    const std::optional<std::uint64_t> one = parse_length(field.value);
    if (!one || (length && *length != *one)) return ParseError::kBadFraming;
    length = one;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ParseError> find_safe_reading(RequestHead& head) {
  if (!is_beyond_doubt(head.view.headers)) return ParseError::kBadSyntax;
  const SpecialFields special = find_special(head.view.headers);
  std::optional<std::uint64_t> length;
  if (const auto bad = agree_on_length(head.view.headers, length)) return bad;
  if (special.transfer_encoding && special.bad_coding) return ParseError::kBadFraming;
  if (special.other_coding || (special.chunked && special.unknown_coding)) return ParseError::kUnknownTransferCoding;
  if (special.hosts > 1 || (special.hosts == 0 && head.view.minor >= 1)) return ParseError::kMissingHost;
  if (!is_host(special.host)) return ParseError::kBadSyntax;
  head.framing = special.chunked ? Framing::kChunked : length ? Framing::kContentLength : Framing::kNone;
  head.content_length = special.chunked ? 0 : length.value_or(0);
  head.keep_alive = wants_keep_alive(special, head.view.minor) && !(special.transfer_encoding && !special.chunked);
  head.expect_continue = special.expect_continue && head.view.minor >= 1;
  head.upgrade = special.upgrade && special.connection_upgrade && head.view.minor >= 1;
  return std::nullopt;
}

std::optional<ParseError> decide_framing(ResponseHead& head, bool to_head_request) {
  const SpecialFields special = find_special(head.view.headers);
  const BodyEnd end = find_body_end(special, head.view.minor);
  if (end.error) return end.error;
  head.view.names = special.names;
  const int status = head.view.status;
  head.interim = status < 200 && status != 101;
  head.keep_alive = wants_keep_alive(special, head.view.minor);
  if (status < 200 || status == 204 || status == 304 || to_head_request) return std::nullopt;
  head.framing = end.framing == Framing::kNone ? Framing::kUntilClose : end.framing;
  head.content_length = end.length;
  if (head.framing == Framing::kUntilClose) head.keep_alive = false;
  return std::nullopt;
}

bool is_tunnel_protocol(std::string_view protocol) {
  // A version may follow a slash: "HTTP/2.0" is as little wanted as "h2c".
  const std::string_view name = protocol.substr(0, protocol.find('/'));
  return is_token(name) && !equals_ignoring_case(name, "h2c") && !equals_ignoring_case(name, "h2") &&
         !equals_ignoring_case(name, "http");
}

bool may_open_tunnel(const RequestHead& head) {
  if (!head.upgrade || !head.clean || head.framing != Framing::kNone) return false;
  bool any = false;
  for (const HeaderView& field : head.view.headers) {
    if (!equals_ignoring_case(field.name, "upgrade")) continue;
    for_each_element(field.value, [&](std::string_view element) { any = any || is_tunnel_protocol(element); });
  }
  return any;
}

std::optional<std::string_view> tunnel_protocol(const ResponseHead& head) {
  std::optional<std::string_view> found;
  for (const HeaderView& field : head.view.headers) {
    if (!equals_ignoring_case(field.name, "upgrade")) continue;
    if (found || field.value.find(',') != std::string_view::npos || !is_tunnel_protocol(field.value)) {
      return std::nullopt;
    }
    found = field.value;
  }
  return found;
}

bool is_framing_field(std::string_view name) {
  return equals_ignoring_case(name, "content-length") || equals_ignoring_case(name, "transfer-encoding");
}

bool list_contains(std::string_view list, std::string_view token) {
  bool found = false;
  for_each_element(list, [&](std::string_view element) { found = found || equals_ignoring_case(element, token); });
  return found;
}

}  // namespace rr
