#include "lb/proxy/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>
#include <utility>

namespace rr {
namespace {

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

}  // namespace

Result<LogFile> LogFile::open(const std::string& path) {
  if (path == "-") return LogFile(path, STDOUT_FILENO);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return Error{fmt::format("{}: {}", path, std::strerror(errno))};
  return LogFile(path, fd);
}

LogFile::LogFile(std::string path, int fd)
    : path_(std::move(path)), fd_(fd), never_waits_(fd < 0 || is_regular_file(fd)) {}

LogFile LogFile::handing_over(std::function<void(std::string)> take) {
  LogFile file("", -1);
  file.take_ = std::move(take);
  return file;
}

void LogFile::append(std::string_view lines) {
  if (buffer_.size() >= kMostWaiting) {
    lost_ += static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
    return;
  }
  buffer_.append(lines);
  if (buffer_.size() >= kFlushAt) flush();
}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      never_waits_(other.never_waits_),
      take_(std::move(other.take_)),
      buffer_(std::move(other.buffer_)),
      lost_(other.lost_) {}

LogFile::~LogFile() {
  if (fd_ < 0) return;
  write_out(kLastPatienceMilliseconds);
  if (path_ != "-") ::close(fd_);
}

void LogFile::flush() {
  if (take_) {
    if (!buffer_.empty()) take_(std::exchange(buffer_, {}));
  } else {
    write_out(0);
  }
}

// A pipe that can be written to takes PIPE_BUF bytes without waiting, but not always more.
void LogFile::write_out(int patience_milliseconds) {
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

Status LogFile::reopen() {
  flush();
  if (take_ || path_ == "-") return Ok{};
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return Error{fmt::format("{}: {}; the old file is kept", path_, std::strerror(errno))};
  ::close(std::exchange(fd_, fd));
  never_waits_ = is_regular_file(fd_);
  return Ok{};
}

}  // namespace rr
