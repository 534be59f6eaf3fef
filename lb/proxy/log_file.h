#pragma once
// A file of lines that is written in large pieces and holds nobody up.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "lb/base/result.h"

namespace rr {

/// Where the lines of a log go. flush() at least each second and at the end is the owner's business. A pipe or terminal
/// whose reader does not read holds nobody up: what it does not take waits, a bounded amount.
class LogFile {
 public:
  /// "-" is standard output. The error names the file.
  static Result<LogFile> open(const std::string& path);
  /// Of a worker whose lines another worker writes: they go there in large pieces, each of whole lines.
  static LogFile handing_over(std::function<void(std::string)> take);
  ~LogFile();
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&&) = delete;

  /// One line: `append` is given the buffer and appends it without its line end. Not called when the line is lost:
  /// lines that cannot be written (disk full, too many waiting for a reader) are counted and dropped, because requests
  /// do not wait for a log.
  template <class Append>
  void write(Append append) {
    if (buffer_.size() >= kMostWaiting) {
      ++lost_;
      return;
    }
    append(buffer_);
    buffer_.push_back('\n');
    if (buffer_.size() >= kFlushAt) flush();
  }
  /// Whole lines of another worker, each with its end.
  void append(std::string_view lines);
  void flush();
  /// After a rotation: goes on in a new file of the same name. When that cannot be opened, the old one is kept.
  Status reopen();
  std::uint64_t lost() const { return lost_; }

  /// The longer a write, the larger the pieces of memory that the kernel takes for the file: beside 64 KiB, 256 KiB
  /// made the log cost 6.5 % of a small request, not 8.9 %. What waits is written every so often in any case.
  static constexpr std::size_t kFlushAt = 256 * 1024;
  /// Lines beyond that are dropped while nobody reads the log.
  static constexpr std::size_t kMostWaiting = 1024 * 1024;

 private:
  LogFile(std::string path, int fd);
  void write_out(int patience_milliseconds);
  std::string path_;
  int fd_ = -1;
  bool never_waits_ = true;                // a regular file
  std::function<void(std::string)> take_;  // in place of a file
  std::string buffer_;
  std::uint64_t lost_ = 0;
};

}  // namespace rr
