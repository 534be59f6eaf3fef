#include "sim/keeper/private_world.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>

#include "sim/keeper/netlink.h"

namespace rr::sim {

namespace {

constexpr std::string_view kTmp = "/tmp/";

Error failed(std::string_view what) { return Error{fmt::format("{}: {}", what, std::strerror(errno))}; }

struct Kept {
  std::string path;
  Descriptor original;
  bool folder = false;
};

std::vector<Kept> open_kept(const StartProcess& start) {
  std::vector<Kept> kept;
  for (const std::string& path : kept_in_tmp(start)) {
    Descriptor original(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct ::stat file {};
    if (!original.open() || ::fstat(original.get(), &file) != 0) continue;
    kept.push_back({path, std::move(original), S_ISDIR(file.st_mode)});
  }
  return kept;
}

/// Puts one entry of the host's /tmp back in its place.
Status restore(const Kept& kept) {
  if (kept.folder) {
    ::mkdir(kept.path.c_str(), 0755);
  } else {
    Descriptor place(::open(kept.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  }
  const std::string source = fmt::format("/proc/self/fd/{}", kept.original.get());
  if (::mount(source.c_str(), kept.path.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
    return failed(fmt::format("keeping {} in the process's own /tmp", kept.path));
  }
  return Ok{};
}

struct OwnFile {
  const char* path;
  std::string text;
};

Status put_over(const OwnFile& file, const char* draft) {
  if (::access(file.path, F_OK) != 0) return Ok{};  // what a host lacks nobody reads
  const Descriptor made(::open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (::write(made.get(), file.text.data(), file.text.size()) != static_cast<ssize_t>(file.text.size()) ||
      ::mount(draft, file.path, nullptr, MS_BIND, nullptr) != 0) {
    return failed(fmt::format("giving it an own {}", file.path));
  }
  return Ok{};
}

/// Its name leads to its own address. No resolver can be reached, and that must be known at once: a lookup that waits
/// for an answer that cannot come costs many frameworks five seconds at their start.
Status set_up_own_names(const StartProcess& start) {
  const std::string hosts = fmt::format("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{} {}\n",
                                        format_ip(start.logical), start.host_name);
  const std::array files{OwnFile{"/etc/hosts", hosts}, OwnFile{"/etc/hostname", start.host_name + "\n"},
                         OwnFile{"/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"}};
  // Drafts on a file system that nobody sees afterwards; the files over /etc keep it alive.
  if (::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return failed("mounting /tmp");
  Status done = Ok{};
  for (std::size_t index = 0; index < files.size() && done; ++index) {
    done = put_over(files[index], fmt::format("/tmp/{}", index).c_str());
  }
  if (::umount2("/tmp", MNT_DETACH) != 0) return failed("unmounting /tmp");
  return done;
}

}  // namespace

Address gateway_of(const Address& address) {
  Address gateway = address;
  gateway.ip[2] = 0;
  gateway.ip[3] = 1;
  gateway.port = 0;
  return gateway;
}

Status set_up_own_network(const Address& address) {
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  if (Status done = netlink->set_up("lo", true); !done) return done;
  if (Status done = netlink->add_address("lo", kMetadataAddress, 32); !done) return done;
  if (Status done = netlink->add_address("eth0", address, kNetworkPrefix); !done) return done;
  if (Status done = netlink->set_up("eth0", true); !done) return done;
  return netlink->add_default_route(gateway_of(address));
}

std::vector<std::string> kept_in_tmp(const StartProcess& start) {
  std::set<std::string> kept;
  const auto keep = [&kept](std::string_view path) {
    if (path == "/tmp") kept.insert("/tmp");
    if (!path.starts_with(kTmp) || path.size() == kTmp.size()) return;
    kept.insert(std::string(path.substr(0, path.find('/', kTmp.size()))));
  };
  keep(start.folder);
  for (const std::string& word : start.command) keep(word);
  if (const auto path = start.environment.find("PATH"); path != start.environment.end()) {
    std::string_view left = path->second;
    while (!left.empty()) {
      const std::size_t colon = left.find(':');
      if (left.substr(0, colon) != "/tmp") keep(left.substr(0, colon));
      left = colon == std::string_view::npos ? std::string_view{} : left.substr(colon + 1);
    }
  }
  return {kept.begin(), kept.end()};
}

Status set_up_own_mounts(const StartProcess& start) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("making the mounts private");
  if (Status done = set_up_own_names(start); !done) return done;
  const std::vector<std::string> paths = kept_in_tmp(start);
  // A program that runs in /tmp itself keeps the host's.
  if (std::find(paths.begin(), paths.end(), "/tmp") == paths.end()) {
    const std::vector<Kept> kept = open_kept(start);
    if (::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) return failed("mounting /tmp");
    for (const Kept& entry : kept) {
      if (Status done = restore(entry); !done) return done;
    }
  }
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return failed("mounting /proc");
  return Ok{};
}

}  // namespace rr::sim
