#include "webapp/supervisor.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "lb/base/check.h"

namespace rr::webapp {
namespace {

/// Of a name that Settings has found good. An abstract name begins with a zero byte in place of the "@".
std::pair<sockaddr_un, socklen_t> address_of(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  RR_CHECK(name.size() < sizeof address.sun_path, "the length of NOTIFY_SOCKET was not checked");
  std::memcpy(address.sun_path, name.data(), name.size());
  const bool abstract = address.sun_path[0] == '@';
  if (abstract) address.sun_path[0] = '\0';
  const std::size_t length = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
  return {address, static_cast<socklen_t>(length)};
}

}  // namespace

Supervisor::Supervisor(Loop& loop, const std::string& socket, Duration watchdog,
                       std::function<void(std::string_view)> on_trouble)
    : socket_(socket), watchdog_(watchdog), on_trouble_(std::move(on_trouble)), beat_(loop, [this] { beat(); }) {
  if (!socket_.empty()) descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

Supervisor::~Supervisor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Supervisor::ready(std::string_view status) {
  say(fmt::format("READY=1\nSTATUS={}", status));
  if (!socket_.empty() && watchdog_ > Duration::zero()) beat();
}

void Supervisor::stopping(std::string_view status) { say(fmt::format("STOPPING=1\nSTATUS={}", status)); }

void Supervisor::beat() {
  say("WATCHDOG=1");
  beat_.arm(watchdog_ / 2);  // half of it, as sd_watchdog_enabled(3) advises
}

void Supervisor::say(std::string_view message) {
  if (socket_.empty()) return;
  const auto [address, length] = address_of(socket_);
  const ssize_t sent = ::sendto(descriptor_, message.data(), message.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), length);
  if (sent >= 0 || in_trouble_) return;
  in_trouble_ = true;
  on_trouble_(fmt::format("the service manager at NOTIFY_SOCKET {} does not hear: {}", socket_, std::strerror(errno)));
}

}  // namespace rr::webapp
