#pragma once
// A small loop on epoll for the two programs of the soak. Not lb/net: what judges the load balancer shares no code with
// it.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rr::soak {

using Clock = std::chrono::steady_clock;

class Poll {
 public:
  Poll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Poll() { ::close(fd_); }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  void add(int fd, std::uint32_t events, std::uint64_t name) { control(EPOLL_CTL_ADD, fd, events, name); }
  void change(int fd, std::uint32_t events, std::uint64_t name) { control(EPOLL_CTL_MOD, fd, events, name); }
  /// Calls `each(name, events)` for what happened within `milliseconds`.
  template <class Each>
  void wait(int milliseconds, Each each) {
    std::array<epoll_event, 512> events;
    const int count = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < count; ++i)
      each(events[static_cast<std::size_t>(i)].data.u64, events[static_cast<std::size_t>(i)].events);
  }

 private:
  void control(int what, int fd, std::uint32_t events, std::uint64_t name) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = name;
    ::epoll_ctl(fd_, what, fd, &event);
  }
  int fd_;
};

enum class Took : std::uint8_t { kSome, kNothing, kEnd };

/// Appends what has come.
inline Took take(int fd, std::string& to) {
  static std::array<char, 65536> space;
  while (true) {
    const ssize_t count = ::recv(fd, space.data(), space.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return Took::kNothing;
    if (count <= 0) return Took::kEnd;
    to.append(space.data(), static_cast<std::size_t>(count));
    return Took::kSome;
  }
}

/// The value of a header (its name in lower case, as this side compares without case), or "".
inline std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size(); ++i) same = same && (line[i] | 0x20) == (name[i] | 0x20);
    if (!same) continue;
    std::string_view value = line.substr(name.size() + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

int run_target(int argc, char** argv);
int run_load(int argc, char** argv);

}  // namespace rr::soak
