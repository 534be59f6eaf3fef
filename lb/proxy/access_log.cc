#include "lb/proxy/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

namespace rr {
namespace {

constexpr std::size_t kFlushAt = 64 * 1024;
constexpr std::size_t kMaximumUserAgent = 8 * 1024;
/// Lines beyond that are dropped while nobody reads the log.
constexpr std::size_t kMostWaiting = 1024 * 1024;
/// At the end a reader that is only slow gets that long for each piece.
constexpr int kLastPatienceMilliseconds = 1000;

bool is_regular_file(int fd) {
  struct ::stat file {};
  return ::fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

bool can_take(int fd, int patience_milliseconds) {
  pollfd one{fd, POLLOUT, 0};
  return ::poll(&one, 1, patience_milliseconds) == 1;
}

/// What is printed as \xHH inside quotes: the quote itself and whatever is not printable. A space stays.
void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  if (text.empty()) out.push_back('-');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      out += "\\x";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_or_dash(std::string& out, std::string_view text) { out += text.empty() ? std::string_view("-") : text; }

void append_seconds(std::string& out, const std::optional<Duration>& span) {
  if (!span) {
    out += "-1";
    return;
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*span).count();
  fmt::format_to(std::back_inserter(out), "{}.{:03}", milliseconds / 1000, milliseconds % 1000);
}

void append_status(std::string& out, int status) {
  if (status == 0) {
    out.push_back('-');
  } else {
    fmt::format_to(std::back_inserter(out), "{}", status);
  }
}

bool has_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  return colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos;
}

void append_request_line(std::string& out, const AccessLogEntry& entry) {
  if (entry.request_line_method.empty()) {
    out += fmt::format("\"- http://{}:{}- -\"", entry.host, entry.listener_port);
    return;
  }
  std::string line(entry.request_line_method);
  std::string_view scheme = "http", host = entry.host, rest = entry.request_target;
  const std::size_t scheme_end = rest.find("://");
  if (!rest.starts_with('/') && scheme_end != std::string_view::npos) {
    scheme = rest.substr(0, scheme_end);
    rest.remove_prefix(scheme_end + 3);
    host = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(host.size());
  }
  line += fmt::format(" {}://{}", scheme, host);
  if (!has_port(host)) line += fmt::format(":{}", entry.listener_port);
  line += rest;
  line += fmt::format(" HTTP/1.{}", entry.minor);
  append_quoted(out, line);
}

}  // namespace

void append_access_log_line(std::string& out, const AccessLogEntry& e) {
  const ExchangeRecord& record = *e.record;
  const ProcessingTimes times = record.times();
  const auto to = std::back_inserter(out);
  out += "http ";
  out += format_iso8601(record.ended);
  out.push_back(' ');
  append_or_dash(out, e.load_balancer);
  const bool v6 = e.client_ip.find(':') != std::string_view::npos;
  fmt::format_to(to, " {}{}{}:{} ", v6 ? "[" : "", e.client_ip, v6 ? "]" : "", e.client_port);
  append_or_dash(out, e.target);
  for (const auto& span : {times.request, times.target, times.response}) {
    out.push_back(' ');
    append_seconds(out, span);
  }
  out.push_back(' ');
  append_status(out, record.status);
  out.push_back(' ');
  append_status(out, record.target_status);
  fmt::format_to(to, " {} {} ", e.received_bytes, e.sent_bytes);
  append_request_line(out, e);
  out.push_back(' ');
  append_quoted(out, e.user_agent.substr(0, kMaximumUserAgent));
  out += " - - ";
  append_or_dash(out, e.target_group);
  out.push_back(' ');
  append_quoted(out, e.trace_id);
  out += " \"-\" \"-\" ";
  if (e.rule_priority < 0) {
    out.push_back('-');
  } else {
    fmt::format_to(to, "{}", e.rule_priority);
  }
  // request_creation_time has milliseconds, printed with six digits.
  out.push_back(' ');
  out += format_iso8601(record.created, 3);
  out.insert(out.size() - 1, "000");
  out.push_back(' ');
  append_quoted(out, e.actions);
  out.push_back(' ');
  append_quoted(out, e.redirect_url);
  out += " \"-\" ";
  append_quoted(out, e.target);
  out.push_back(' ');
  append_quoted(out, record.target_status == 0 ? std::string() : std::to_string(record.target_status));
  out.push_back(' ');
  append_quoted(out, e.classification);
  out.push_back(' ');
  append_quoted(out, e.classification_reason);
  fmt::format_to(to, " TID_{:016x}{:016x}", e.connection_high, e.connection_low);
  for (const std::string_view text : {e.transformed_host, e.transformed_uri, e.transform_status}) {
    out.push_back(' ');
    append_quoted(out, text);
  }
  out.push_back(' ');
  append_or_dash(out, e.node_ip);
}

Result<AccessLog> AccessLog::open(const std::string& path) {
  if (path == "-") return AccessLog(path, STDOUT_FILENO);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  return AccessLog(path, fd);
}

AccessLog::AccessLog(std::string path, int fd) : path_(std::move(path)), fd_(fd), never_waits_(is_regular_file(fd)) {}

AccessLog::AccessLog(AccessLog&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      never_waits_(other.never_waits_),
      buffer_(std::move(other.buffer_)),
      lost_(other.lost_) {}

AccessLog::~AccessLog() {
  if (fd_ < 0) return;
  write_out(kLastPatienceMilliseconds);
  if (path_ != "-") ::close(fd_);
}

void AccessLog::write(const AccessLogEntry& entry) {
  if (buffer_.size() >= kMostWaiting) {
    ++lost_;
    return;
  }
  append_access_log_line(buffer_, entry);
  buffer_.push_back('\n');
  if (buffer_.size() >= kFlushAt) flush();
}

void AccessLog::flush() { write_out(0); }

// A pipe that can be written to takes PIPE_BUF bytes without waiting, but not always more.
void AccessLog::write_out(int patience_milliseconds) {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    if (!never_waits_ && !can_take(fd_, patience_milliseconds)) break;
    const std::size_t piece = never_waits_ ? rest.size() : std::min<std::size_t>(rest.size(), PIPE_BUF);
    const ssize_t written = ::write(fd_, rest.data(), piece);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) {
      lost_ += static_cast<std::uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
      rest = {};
    } else {
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  buffer_.erase(0, buffer_.size() - rest.size());
}

Status AccessLog::reopen() {
  flush();
  if (path_ == "-") return Ok{};
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return Error{fmt::format("{}: {}; the old file is kept", path_, std::strerror(errno))};
  ::close(std::exchange(fd_, fd));
  never_waits_ = is_regular_file(fd_);
  return Ok{};
}

}  // namespace rr
