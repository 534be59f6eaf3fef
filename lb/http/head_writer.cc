#include "lb/http/head_writer.h"

#include <algorithm>
#include <charconv>

#include "lb/base/framing_lookalike.h"
#include "lb/http/appender.h"
#include "lb/http/characters.h"
#include "lb/http/framing.h"
#include "lb/http/start_line.h"
#include "lb/http/trailers.h"

namespace rr {
namespace {

// Above this much of header the ALB gives up on the trace id that came in and writes a new one.
constexpr std::size_t kTraceHeaderBudget = 7 * 1024;

void append_field(Appender& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

/// Fields that belong to one connection only, or that this side writes itself.
constexpr FieldNames kHopByHop{
    FieldName::kTe,        FieldName::kUpgrade,         FieldName::kTrailer,       FieldName::kConnection,
    FieldName::kKeepAlive, FieldName::kProxyConnection, FieldName::kContentLength, FieldName::kTransferEncoding};
constexpr FieldNames kWrittenForTarget{FieldName::kHost,           FieldName::kExpect,
                                       FieldName::kXForwardedFor,  FieldName::kXAmznTraceId,
                                       FieldName::kXForwardedPort, FieldName::kXForwardedProto};

/// Whether one of the Connection fields names this one.
bool is_named_by_connection(std::span<const HeaderView> fields, std::string_view name) {
  for (const HeaderView& field : fields) {
    if (field_name(field.name) == FieldName::kConnection && list_contains(field.value, name)) return true;
  }
  return false;
}

/// Whether any Connection field names something else than the options that every client sends.
template <class View>
bool connection_names_fields(const View& view) {
  if (!view.names.has(FieldName::kConnection)) return false;
  for (const HeaderView& field : view.headers) {
    if (field_name(field.name) == FieldName::kConnection && !equals_ignoring_case(field.value, "keep-alive") &&
        !equals_ignoring_case(field.value, "close")) {
      return true;
    }
  }
  return false;
}

/// Passes fields on. Neighbours that came as they are to go on, "Name: value" and CRLF, are one copy.
class FieldCopier {
 public:
  /// `lines`: see RequestView.
  FieldCopier(Appender& out, std::string_view lines) : out_(out), has_lines_(!lines.empty()) {}
  ~FieldCopier() { copy_neighbours(); }
  FieldCopier(const FieldCopier&) = delete;
  FieldCopier& operator=(const FieldCopier&) = delete;

  void copy(const HeaderView& field) {
    if (!came_as_it_goes(field)) {
      copy_neighbours();
      append_field(out_, field.name, field.value);
      return;
    }
    if (field.name.data() != end_) {
      copy_neighbours();
      begin_ = field.name.data();
    }
    end_ = field.value.data() + field.value.size() + 2;
  }

 private:
  /// In clean lines a colon follows the name, only blanks are around the value, and CRLF ends all.
  bool came_as_it_goes(const HeaderView& field) const {
    const char* const colon = field.name.data() + field.name.size();
    return has_lines_ && field.value.data() == colon + 2 && colon[1] == ' ' &&
           field.value.data()[field.value.size()] == '\r';
  }
  void copy_neighbours() {
    if (begin_ != end_) out_ += std::string_view(begin_, static_cast<std::size_t>(end_ - begin_));
    begin_ = end_ = nullptr;
  }

  Appender& out_;
  bool has_lines_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
};

std::string_view trim_blanks_of_continuation(std::string_view name) {
  return !name.empty() && is_blank(name.front()) ? trim_blanks(name) : name;
}

/// A target of a head that is not clean: what is no URI character is percent-encoded.
void append_encoded(Appender& out, std::string_view target) {
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
void append_end_to_end(Appender& out, const ResponseView& response, Skip skip) {
  const bool named = connection_names_fields(response);
  FieldCopier copier(out, response.lines);
  for (const HeaderView& field : response.headers) {
    const FieldName name = field_name(field.name);
    if (kHopByHop.has(name) || name == FieldName::kFramingLookalike || skip(field.name)) continue;
    if (named && is_named_by_connection(response.headers, field.name)) continue;
    copier.copy(field);
  }
}

/// The same for a request, whose fields need not be clean.
InvalidFields append_request_fields(Appender& out, const RequestHead& head, bool drop_invalid) {
  const std::span<const HeaderView> fields = head.view.headers;
  const bool named = connection_names_fields(head.view);
  FieldCopier copier(out, head.view.lines);
  InvalidFields invalid;
  for (HeaderView field : fields) {
    if (!head.clean && field.value.empty()) field.name = trim_blanks_of_continuation(field.name);
    const bool plain = head.view.plain_names || is_plain_name(field.name);
    if (!plain || (!head.clean && has_control(field.value))) {
      if (drop_invalid || !is_token(field.name) || is_framing_lookalike(field.name) || has_control(field.value)) {
        invalid.dropped = true;
        continue;
      }
    }
    const FieldName name = field_name(field.name);
    if (kHopByHop.has(name) || kWrittenForTarget.has(name)) continue;
    if (name == FieldName::kFramingLookalike) {
      invalid.dropped = true;
      continue;
    }
    if (named && is_named_by_connection(fields, field.name)) continue;
    invalid.forwarded = invalid.forwarded || !plain;
    copier.copy(field);
  }
  return invalid;
}

void append_content_length(Appender& out, std::uint64_t length) {
  out += "Content-Length: ";
  out.append_number(length);
  out += "\r\n";
}

void append_request_line(Appender& out, const RequestHead& head, const std::optional<AbsoluteTarget>& absolute,
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
  if (host.find(':') == std::string_view::npos) return host.size();
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return colon == std::string_view::npos ? host.size() : colon;
}

void append_host(Appender& out, std::string_view host, std::string_view listener_port) {
  const std::size_t port = find_port(host);
  out += "Host: ";
  out.append_lower(host.substr(0, port));
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

void append_peer(Appender& out, const ForwardContext& context) {
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

/// The addresses that came in. False: there was no field of that name.
bool append_came_addresses(Appender& out, const RequestView& request) {
  if (!request.names.has(FieldName::kXForwardedFor)) return false;
  bool any = false;
  const std::size_t begin = out.size();
  for (const HeaderView& field : request.headers) {
    if (field_name(field.name) != FieldName::kXForwardedFor || has_control(field.value)) continue;
    any = true;
    if (field.value.empty()) continue;
    if (out.size() > begin) out += ", ";
    out += field.value;
  }
  return any;
}

void append_forwarded_for(Appender& out, const RequestView& request, const ForwardContext& context) {
  if (context.forwarded_for == ForwardedFor::kRemove) return;
  const std::size_t begin = out.size();
  out += "X-Forwarded-For: ";
  const std::size_t value = out.size();
  const bool came = append_came_addresses(out, request);
  if (context.forwarded_for == ForwardedFor::kAppend) {
    if (out.size() > value) out += ", ";
    append_peer(out, context);
  } else if (!came) {
    out.cut(begin);
    return;
  }
  out += "\r\n";
}

/// X-Forwarded-Proto and -Port: our own word, or where it is to be kept the first that came in, if it is clean.
void append_proto_and_port(Appender& out, const RequestView& request, const ForwardContext& context) {
  const auto value = [&](FieldName which, std::string_view own) {
    const auto came = context.replace_proto ? std::nullopt : request.header(which);
    return came && !came->empty() && !has_control(*came) ? *came : own;
  };
  out += "X-Forwarded-Proto: ";
  out += value(FieldName::kXForwardedProto, context.scheme);
  out += "\r\nX-Forwarded-Port: ";
  out += value(FieldName::kXForwardedPort, context.port);
  out += "\r\n";
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
void append_trace_id(Appender& out, const RequestView& request, const ForwardContext& context) {
  const std::optional<std::string_view> incoming = request.header(FieldName::kXAmznTraceId);
  out += "X-Amzn-Trace-Id: ";
  if (!incoming) {
    out += context.trace_root;
    out += "\r\n";
    return;
  }
  std::string parts;
  bool has_root = false;
  if (!has_control(*incoming) && header_bytes(request.headers) <= kTraceHeaderBudget) {
    append_trace_parts(parts, *incoming, has_root);
  }
  out += has_root ? context.trace_self : context.trace_root;
  if (!parts.empty()) out += ';';
  out += parts;
  out += "\r\n";
}

void append_upgrade(Appender& out, std::span<const HeaderView> fields) {
  out += "Connection: upgrade\r\n";
  for (const HeaderView& field : fields) {
    if (!equals_ignoring_case(field.name, "upgrade")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view protocol = trim_blanks(rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
      if (is_tunnel_protocol(protocol)) append_field(out, "Upgrade", protocol);
    }
  }
}

void append_trailers_field(Appender& out, std::span<const HeaderView> fields) {
  std::string line;
  append_trailer_names(line, fields);
  out += line;
}

/// Writes the framing and says whether the body ends with the connection.
bool append_response_framing(Appender& out, const ResponseHead& head, int client_minor) {
  switch (head.framing) {
    case Framing::kContentLength:
      append_content_length(out, head.content_length);
      return false;
    case Framing::kChunked:
      if (client_minor < 1) return true;
      out += "Transfer-Encoding: chunked\r\n";
      append_trailers_field(out, head.view.headers);
      return false;
    case Framing::kUntilClose:
      return true;
    case Framing::kNone:
      break;
  }
  if (head.view.status >= 200 && head.view.status != 204) {
    if (const auto length = head.view.header(FieldName::kContentLength)) append_field(out, "Content-Length", *length);
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

void append_status_line(Appender& out, int status, std::string_view reason) {
  out += "HTTP/1.1 ";
  out.append_number(static_cast<std::uint64_t>(status));
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
void append_page_response(std::string& into, int status, std::string_view title_text, std::string_view location,
                          Time now, PageUse use, const ResponseChanges& changes) {
  std::string title = std::to_string(status);
  if (!title_text.empty()) title.append(" ").append(title_text);
  const std::string page = error_page(title);
  Appender out(into);
  append_status_line(out, status, alb_reason(status));
  if (changes.server_header) append_field(out, "Server", "awselb/2.0");
  append_field(out, "Date", format_http_date(now));
  append_field(out, "Content-Type", "text/html");
  append_content_length(out, page.size());
  append_field(out, "Connection", use.keep_alive ? "keep-alive" : "close");
  out += changes.inserted;
  if (!location.empty()) append_field(out, "Location", location);
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

InvalidFields append_forwarded_request(std::string& into, const RequestHead& head, const ForwardContext& context) {
  Appender out(into);
  const RequestView& request = head.view;
  const std::optional<AbsoluteTarget> absolute = split_absolute_target(request.target);
  append_request_line(out, head, absolute, context.rewritten_target);
  append_forwarded_for(out, request, context);
  append_proto_and_port(out, request, context);
  const std::optional<std::string_view> sent_host = request.header(FieldName::kHost);
  if (!context.rewritten_host.empty()) {
    append_host(out, context.rewritten_host, context.port);
  } else if (context.preserve_host && sent_host) {
    append_field(out, "Host", *sent_host);
  } else {
    const std::string_view host = absolute ? absolute->authority : sent_host.value_or(std::string_view());
    append_host(out, host.empty() ? context.default_host : host, context.port);
  }
  append_trace_id(out, request, context);
  if (head.framing == Framing::kContentLength) append_content_length(out, head.content_length);
  if (head.framing == Framing::kChunked) {
    out += "Transfer-Encoding: chunked\r\n";
    append_trailers_field(out, request.headers);
  }
  if (context.upgrade && head.upgrade) append_upgrade(out, request.headers);
  const InvalidFields invalid = append_request_fields(out, head, context.drop_invalid);
  out += "\r\n";
  return invalid;
}

void append_forwarded_response(std::string& into, const ResponseHead& head, bool keep_alive, int client_minor,
                               const ResponseChanges& changes, std::string_view own_fields) {
  const ResponseView& response = head.view;
  Appender out(into);
  append_status_line(out, response.status, response.reason.empty() ? reason_phrase(response.status) : response.reason);
  if (changes.inserted.empty() || head.interim) {
    append_end_to_end(out, response, [](std::string_view) { return false; });
  } else {
    append_end_to_end(out, response, [&](std::string_view name) {
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
    out += keep_alive && !ends_by_close ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  }
  out += "\r\n";
}

void append_status_line(std::string& out, int status) {
  Appender appender(out);
  append_status_line(appender, status, reason_phrase(status));
}

void append_error_response(std::string& out, int status, Time now, bool keep_alive, bool head_request,
                           const ResponseChanges& changes) {
  append_page_response(out, status, alb_reason(status), {}, now, {keep_alive, head_request}, changes);
}

void append_redirect_response(std::string& out, int status, std::string_view location, Time now, bool keep_alive,
                              bool head_request, const ResponseChanges& changes) {
  append_page_response(out, status, reason_phrase(status), location, now, {keep_alive, head_request}, changes);
}

void append_chunk_header(std::string& out, std::size_t size) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, 16);
  out.append(digits, end.ptr);
  out += "\r\n";
}

}  // namespace rr
