#pragma once
// Sockets and a poll for the programs that measure. No code of the balancer: what measures it must not share its
// faults.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rr::bench {

/// "127.0.0.1:8080". Ends the program with a message when it is none.
sockaddr_in parse_address(std::string_view text);
std::string format_address(const sockaddr_in& address);

/// A listening socket, not blocking; `address` gets the port that the kernel chose. Ends the program when it cannot.
int listen_on(sockaddr_in& address);
/// Connected and not blocking, or -1.
int connect_to(const sockaddr_in& address);
/// Accepted and not blocking, or -1 when nobody waits.
int accept_from(int listener);

[[noreturn]] void give_up(std::string_view what);

class Poll {
 public:
  Poll();
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  void add(int fd, std::uint32_t events, void* owner) const { control(EPOLL_CTL_ADD, fd, events, owner); }
  void change(int fd, std::uint32_t events, void* owner) const { control(EPOLL_CTL_MOD, fd, events, owner); }
  /// Calls `each(owner, events)`; a negative time waits for ever.
  template <class Each>
  void wait(int milliseconds, Each each) {
    std::array<epoll_event, 1024> events;
    const int count = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < count; ++i) {
      const epoll_event& one = events[static_cast<std::size_t>(i)];
      each(one.data.ptr, one.events);
    }
  }
  /// Waits so long at most, also for less than a millisecond, and then as wait(0, each).
  template <class Each>
  void wait_for(std::chrono::nanoseconds time, Each each) {
    sleep_until_ready(time);
    wait(0, each);
  }

 private:
  void sleep_until_ready(std::chrono::nanoseconds time) const;
  void control(int what, int fd, std::uint32_t events, void* owner) const;
  int fd_;
};

/// The value of "Name: value" in a head, "" when there is none. The name is compared in any case of ASCII letters.
std::string_view header(std::string_view head, std::string_view name);

/// The programs: each gets the arguments behind its name.
int run_origin(int argc, char** argv);
int run_load(int argc, char** argv);
int run_epoll_relay(int argc, char** argv);
int run_uv_relay(int argc, char** argv);

}  // namespace rr::bench
