#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "sim/keeper/descriptor.h"

namespace rr::sim {

/// When a log file is longer than this it becomes FILE.1, in place of the one before.
constexpr std::size_t kLogFileLimit = 16 * 1024 * 1024;

/// Appends to a file and bounds what it takes on the disk to twice the limit. Holds its folder open, so that it goes on
/// working when the process gets another view of the file system. What cannot be written (disk full) is dropped: a
/// server must not die of its log.
class LogFile {
 public:
  explicit LogFile(const std::string& path, std::size_t limit = kLogFileLimit);
  void append(std::string_view bytes);
  bool open() const { return file_.open(); }

 private:
  void reopen();
  std::size_t limit_;
  std::string name_;
  Descriptor folder_;
  Descriptor file_;
  std::size_t size_ = 0;
};

}  // namespace rr::sim
