#include "sim/keeper/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>

namespace rr::sim {

LogFile::LogFile(const std::string& path, std::size_t limit) : limit_(limit) {
  const std::size_t slash = path.rfind('/');
  name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  folder_ = Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  reopen();
}

void LogFile::reopen() {
  file_ = Descriptor(::openat(folder_.get(), name_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  struct ::stat file {};
  size_ = file_.open() && ::fstat(file_.get(), &file) == 0 ? static_cast<std::size_t>(file.st_size) : 0;
}

void LogFile::append(std::string_view bytes) {
  if (!file_.open()) return;
  if (size_ > 0 && size_ + bytes.size() > limit_) {
    ::renameat(folder_.get(), name_.c_str(), folder_.get(), (name_ + ".1").c_str());
    reopen();
  }
  while (!bytes.empty()) {
    const ssize_t put = ::write(file_.get(), bytes.data(), bytes.size());
    if (put <= 0) return;
    size_ += static_cast<std::size_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace rr::sim
