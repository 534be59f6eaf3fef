#include "lb/http/head_writer.h"

#include <algorithm>
#include <charconv>

#include "lb/base/framing_lookalike.h"
#include "lb/http/characters.h"
#include "lb/http/framing.h"
#include "lb/http/start_line.h"
#include "lb/http/trailers.h"

namespace rr {
namespace {

// Above this much of header the ALB gives up on the trace id that came in and writes a new one.
constexpr std::size_t kTraceHeaderBudget = 7 * 1024;

void append_number(std::string& out, std::uint64_t number, int base) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base);
  out.append(digits, end.ptr);
}

/// Fields that belong to one connection only, or that this side writes itself.
bool is_hop_by_hop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return equals_ignoring_case(name, "te");
    case 7:
      return equals_ignoring_case(name, "upgrade") || equals_ignoring_case(name, "trailer");
    case 10:
      return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive");
    case 14:
      return equals_ignoring_case(name, "content-length");
    case 16:
      return equals_ignoring_case(name, "proxy-connection");
    case 17:
      return equals_ignoring_case(name, "transfer-encoding");
    default:
      return false;
  }
}

bool is_written_for_target(std::string_view name) {
  switch (name.size()) {
    case 4:
      return equals_ignoring_case(name, "host");
    case 6:
      return equals_ignoring_case(name, "expect");
    case 15:
      return equals_ignoring_case(name, "x-forwarded-for") || equals_ignoring_case(name, "x-amzn-trace-id");
    case 16:
      return equals_ignoring_case(name, "x-forwarded-port");
    case 17:
      return equals_ignoring_case(name, "x-forwarded-proto");
    default:
      return false;
  }
}

/// Whether one of the Connection fields names this one. `connections` counts them: mostly there is none that names any.
bool is_named_by_connection(std::span<const HeaderView> fields, std::string_view name) {
  for (const HeaderView& field : fields) {
    if (equals_ignoring_case(field.name, "connection") && list_contains(field.value, name)) return true;
  }
  return false;
}

/// Whether any Connection field names something else than the options that every client sends.
bool connection_names_fields(std::span<const HeaderView> fields) {
  for (const HeaderView& field : fields) {
    if (field.name.size() == 10 && equals_ignoring_case(field.name, "connection") &&
        !equals_ignoring_case(field.value, "keep-alive") && !equals_ignoring_case(field.value, "close")) {
      return true;
    }
  }
  return false;
}

std::string_view trim_blanks_of_continuation(std::string_view name) {
  return !name.empty() && is_blank(name.front()) ? trim_blanks(name) : name;
}

/// A target of a head that is not clean: what is no URI character is percent-encoded.
void append_encoded(std::string& out, std::string_view target) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

/// Copies what belongs to the message and not to the connection.
template <class Skip>
void append_end_to_end(std::string& out, std::span<const HeaderView> fields, Skip skip) {
  const bool named = connection_names_fields(fields);
  for (const HeaderView& field : fields) {
    if (is_hop_by_hop(field.name) || is_framing_lookalike(field.name) || skip(field.name)) continue;
    if (named && is_named_by_connection(fields, field.name)) continue;
    append_header(out, field.name, field.value);
  }
}

/// What drop_invalid_header_fields calls valid.
bool is_plain_name(std::string_view name) {
  for (char c : name) {
    const char lower = ascii_lower(c);
    if (!((lower >= 'a' && lower <= 'z') || is_digit(c) || c == '-')) return false;
  }
  return !name.empty();
}

/// The same for a request, whose fields need not be clean.
InvalidFields append_request_fields(std::string& out, const RequestHead& head, bool drop_invalid) {
  const std::span<const HeaderView> fields = head.view.headers;
  const bool named = connection_names_fields(fields);
  InvalidFields invalid;
  for (HeaderView field : fields) {
    if (!head.clean && field.value.empty()) field.name = trim_blanks_of_continuation(field.name);
    const bool plain = is_plain_name(field.name);
    if (!plain || (!head.clean && has_control(field.value))) {
      if (drop_invalid || !is_token(field.name) || is_framing_lookalike(field.name) || has_control(field.value)) {
        invalid.dropped = true;
        continue;
      }
    }
    if (is_hop_by_hop(field.name) || is_written_for_target(field.name)) continue;
    if (is_framing_lookalike(field.name)) {
      invalid.dropped = true;
      continue;
    }
    if (named && is_named_by_connection(fields, field.name)) continue;
    invalid.forwarded = invalid.forwarded || !plain;
    append_header(out, field.name, field.value);
  }
  return invalid;
}

void append_content_length(std::string& out, std::uint64_t length) {
  out += "Content-Length: ";
  append_number(out, length, 10);
  out += "\r\n";
}

void append_request_line(std::string& out, const RequestHead& head, const std::optional<AbsoluteTarget>& absolute,
                         std::string_view rewritten_target) {
  const RequestView& request = head.view;
  const auto append_target = [&](std::string_view target) {
    if (head.clean) {
      out += target;
    } else {
      append_encoded(out, target);
    }
  };
  out += request.method;
  out += ' ';
  if (!rewritten_target.empty()) {
    out += rewritten_target;
  } else if (!absolute) {
    append_target(request.target);
  } else if (absolute->rest.empty() && request.method == "OPTIONS") {
    out += '*';  // RFC 9112 section 3.2.4
  } else {
    if (!absolute->rest.starts_with('/')) out += '/';
    append_target(absolute->rest);
  }
  out += " HTTP/1.1\r\n";
}

/// Where the port of "name:80" or "[::1]:80" begins (at its colon), or the size when there is none.
std::size_t find_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return colon == std::string_view::npos ? host.size() : colon;
}

void append_host(std::string& out, std::string_view host, std::string_view listener_port) {
  const std::size_t port = find_port(host);
  out += "Host: ";
  for (char c : host.substr(0, port)) out += ascii_lower(c);
  if (listener_port != "80" && listener_port != "443") {
    if (port + 1 < host.size()) {
      out += host.substr(port);
    } else {
      out += ':';
      out += listener_port;
    }
  }
  out += "\r\n";
}

void append_peer(std::string& out, const ForwardContext& context) {
  if (context.client_port.empty()) {
    out += context.client_ip;
    return;
  }
  const bool v6 = context.client_ip.find(':') != std::string_view::npos;
  if (v6) out += '[';
  out += context.client_ip;
  if (v6) out += ']';
  out += ':';
  out += context.client_port;
}

void append_forwarded_for(std::string& out, std::span<const HeaderView> fields, const ForwardContext& context) {
  if (context.forwarded_for == ForwardedFor::kRemove) return;
  const bool append = context.forwarded_for == ForwardedFor::kAppend;
  const std::size_t begin = out.size();
  bool any = append;
  out += "X-Forwarded-For: ";
  const std::size_t value = out.size();
  for (const HeaderView& field : fields) {
    if (!equals_ignoring_case(field.name, "x-forwarded-for") || has_control(field.value)) continue;
    any = true;
    if (field.value.empty()) continue;
    if (out.size() > value) out += ", ";
    out += field.value;
  }
  if (append) {
    if (out.size() > value) out += ", ";
    append_peer(out, context);
  }
  if (any) {
    out += "\r\n";
  } else {
    out.resize(begin);
  }
}

/// X-Forwarded-Proto and -Port: our own word, or where it is to be kept the first that came in, if it is clean.
void append_proto_or_port(std::string& out, const RequestView& request, std::string_view name, std::string_view own,
                          const ForwardContext& context) {
  const auto came = context.replace_proto ? std::nullopt : request.header(name);
  append_header(out, name, came && !came->empty() && !has_control(*came) ? *came : own);
}

std::size_t header_bytes(std::span<const HeaderView> fields) {
  std::size_t total = 0;
  for (const HeaderView& field : fields) total += field.name.size() + field.value.size() + 4;  // ": " and CRLF
  return total;
}

/// The parts of an incoming trace id but Self, each followed by ';' but the last: "Root=1-...;CalledFrom=app".
void append_trace_parts(std::string& out, std::string_view value, bool& has_root) {
  bool first = true;
  while (!value.empty()) {
    const std::size_t end = value.find(';');
    const std::string_view part = value.substr(0, end);
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
    if (part.empty() || part.starts_with("Self=")) continue;
    has_root = has_root || part.starts_with("Root=");
    if (!first) out += ';';
    first = false;
    out += part;
  }
}

/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
///   none                    -> Root=new
///   Root=R;App=x            -> Self=new;Root=R;App=x
///   Self=S;Root=R           -> Self=new;Root=R
///   App=x                   -> Root=new;App=x
void append_trace_id(std::string& out, const RequestView& request, const ForwardContext& context) {
  const std::optional<std::string_view> incoming = request.header("x-amzn-trace-id");
  out += "X-Amzn-Trace-Id: ";
  std::string parts;
  bool has_root = false;
  if (incoming && !has_control(*incoming) && header_bytes(request.headers) <= kTraceHeaderBudget) {
    append_trace_parts(parts, *incoming, has_root);
  }
  out += has_root ? context.trace_self : context.trace_root;
  if (!parts.empty()) out += ';';
  out += parts;
  out += "\r\n";
}

void append_upgrade(std::string& out, std::span<const HeaderView> fields) {
  out += "Connection: upgrade\r\n";
  for (const HeaderView& field : fields) {
    if (!equals_ignoring_case(field.name, "upgrade")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view protocol = trim_blanks(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      if (is_tunnel_protocol(protocol)) append_header(out, "Upgrade", protocol);
    }
  }
}

/// Writes the framing and says whether the body ends with the connection.
bool append_response_framing(std::string& out, const ResponseHead& head, int client_minor) {
  switch (head.framing) {
    case Framing::kContentLength:
      append_content_length(out, head.content_length);
      return false;
    case Framing::kChunked:
      if (client_minor < 1) return true;
      out += "Transfer-Encoding: chunked\r\n";
      append_trailer_names(out, head.view.headers);
      return false;
    case Framing::kUntilClose:
      return true;
    case Framing::kNone:
      break;
  }
  if (head.view.status >= 200 && head.view.status != 204) {
    if (const auto length = head.view.header("content-length")) append_header(out, "Content-Length", *length);
  }
  return false;
}

/// What the ALB writes; it keeps the texts of the nginx that it once was.
std::string_view alb_reason(int status) {
  switch (status) {
    case 302:
      return "Moved Temporarily";
    case 401:
      return "Authorization Required";
    case 405:
      return "Not Allowed";
    case 408:
      return "Request Time-out";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "Request-URI Too Large";
    case 503:
      return "Service Temporarily Unavailable";
    case 504:
      return "Gateway Time-out";
    default:
      return reason_phrase(status);
  }
}

void append_status_line(std::string& out, int status, std::string_view reason) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status), 10);
  out += ' ';
  out += reason;
  out += "\r\n";
}

std::string error_page(std::string_view title) {
  std::string page = "<html>\r\n<head><title>";
  page += title;
  page += "</title></head>\r\n<body>\r\n<center><h1>";
  page += title;
  page += "</h1></center>\r\n</body>\r\n</html>\r\n";
  return page;
}

struct PageUse {
  bool keep_alive;
  bool head_request;
};

/// A page of our own, its Location (of a redirect) behind everything else that the ALB writes.
void append_page_response(std::string& out, int status, std::string_view title_text, std::string_view location,
                          Time now, PageUse use, const ResponseChanges& changes) {
  std::string title = std::to_string(status);
  if (!title_text.empty()) title.append(" ").append(title_text);
  const std::string page = error_page(title);
  append_status_line(out, status, alb_reason(status));
  if (changes.server_header) append_header(out, "Server", "awselb/2.0");
  append_header(out, "Date", format_http_date(now));
  append_header(out, "Content-Type", "text/html");
  append_content_length(out, page.size());
  append_header(out, "Connection", use.keep_alive ? "keep-alive" : "close");
  out += changes.inserted;
  if (!location.empty()) append_header(out, "Location", location);
  out += "\r\n";
  if (!use.head_request) out += page;
}

}  // namespace

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

InvalidFields append_forwarded_request(std::string& out, const RequestHead& head, const ForwardContext& context) {
  const RequestView& request = head.view;
  const std::optional<AbsoluteTarget> absolute = split_absolute_target(request.target);
  append_request_line(out, head, absolute, context.rewritten_target);
  append_forwarded_for(out, request.headers, context);
  append_proto_or_port(out, request, "X-Forwarded-Proto", context.scheme, context);
  append_proto_or_port(out, request, "X-Forwarded-Port", context.port, context);
  const std::optional<std::string_view> sent_host = request.header("host");
  if (!context.rewritten_host.empty()) {
    append_host(out, context.rewritten_host, context.port);
  } else if (context.preserve_host && sent_host) {
    append_header(out, "Host", *sent_host);
  } else {
    const std::string_view host = absolute ? absolute->authority : sent_host.value_or(std::string_view());
    append_host(out, host.empty() ? context.default_host : host, context.port);
  }
  append_trace_id(out, request, context);
  if (head.framing == Framing::kContentLength) append_content_length(out, head.content_length);
  if (head.framing == Framing::kChunked) {
    out += "Transfer-Encoding: chunked\r\n";
    append_trailer_names(out, request.headers);
  }
  if (context.upgrade && head.upgrade) append_upgrade(out, request.headers);
  const InvalidFields invalid = append_request_fields(out, head, context.drop_invalid);
  out += "\r\n";
  return invalid;
}

void append_forwarded_response(std::string& out, const ResponseHead& head, bool keep_alive, int client_minor,
                               const ResponseChanges& changes, std::string_view own_fields) {
  const ResponseView& response = head.view;
  append_status_line(out, response.status, response.reason.empty() ? reason_phrase(response.status) : response.reason);
  if (changes.inserted.empty() || head.interim) {
    append_end_to_end(out, response.headers, [](std::string_view) { return false; });
  } else {
    append_end_to_end(out, response.headers, [&](std::string_view name) {
      return std::any_of(changes.overrides.begin(), changes.overrides.end(),
                         [&](std::string_view one) { return equals_ignoring_case(one, name); });
    });
    out += changes.inserted;
  }
  out += own_fields;
  if (response.status == 101) {
    append_upgrade(out, response.headers);
  } else if (!head.interim) {
    const bool ends_by_close = append_response_framing(out, head, client_minor);
    append_header(out, "Connection", keep_alive && !ends_by_close ? "keep-alive" : "close");
  }
  out += "\r\n";
}

void append_status_line(std::string& out, int status) { append_status_line(out, status, reason_phrase(status)); }

void append_error_response(std::string& out, int status, Time now, bool keep_alive, bool head_request,
                           const ResponseChanges& changes) {
  append_page_response(out, status, alb_reason(status), {}, now, {keep_alive, head_request}, changes);
}

void append_redirect_response(std::string& out, int status, std::string_view location, Time now, bool keep_alive,
                              bool head_request, const ResponseChanges& changes) {
  append_page_response(out, status, reason_phrase(status), location, now, {keep_alive, head_request}, changes);
}

void append_chunk_header(std::string& out, std::size_t size) {
  append_number(out, size, 16);
  out += "\r\n";
}

}  // namespace rr
