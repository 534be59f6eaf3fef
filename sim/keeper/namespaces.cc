#include "sim/keeper/namespaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/keeper/descriptor.h"
#include "sim/keeper/netlink.h"

namespace rr::sim {

namespace {

Status write_file(const char* path, const std::string& text) {
  const Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file.open() || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Error{fmt::format("writing {}: {}", path, std::strerror(errno))};
  }
  return Ok{};
}

}  // namespace

int own_world_flags() { return CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC; }

Result<bool> enter_namespaces() {
  if (::unshare(own_world_flags()) == 0) return false;
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(own_world_flags() | CLONE_NEWUSER) != 0) {
    return Error{fmt::format("creating namespaces: {}", std::strerror(errno))};
  }
  if (Status done = write_file("/proc/self/setgroups", "deny"); !done) return done.error();
  if (Status done = write_file("/proc/self/uid_map", fmt::format("0 {} 1\n", user)); !done) return done.error();
  if (Status done = write_file("/proc/self/gid_map", fmt::format("0 {} 1\n", group)); !done) return done.error();
  return true;
}

Status furnish_namespaces(const std::string& bridge) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Error{fmt::format("making the mounts private: {}", std::strerror(errno))};
  }
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return Error{fmt::format("mounting /proc: {}", std::strerror(errno))};
  }
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (Status done = netlink->set_up("lo", true); !done) return done;
  if (Status done = netlink->create_bridge(bridge); !done) return done;
  if (Status done = netlink->set_up(bridge, true); !done) return done;
  // Only needed when the tier's subnets do not share a /16; some containers do not let it be written.
  (void)write_file("/proc/sys/net/ipv4/ip_forward", "1").ok();
  return Ok{};
}

}  // namespace rr::sim
