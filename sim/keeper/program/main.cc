// rr-keeper: the part of rr-sim that starts its processes and ends them when rr-sim is gone. See sim/keeper/keeper.h.
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstdio>
#include <string_view>

#include "rr_version.h"
#include "sim/keeper/descriptor.h"
#include "sim/keeper/keeper.h"

namespace {

constexpr std::string_view kHelp =
    "rr-keeper is started by rr-sim and is of no use alone: it starts the processes\n"
    "of a tier on request over the socket that it inherits, and ends all of them when\n"
    "that socket closes.\n"
    "\n"
    "  rr-keeper --try namespaces     does once what the namespaces ground needs;\n"
    "                                 prints ok or what failed\n"
    "  rr-keeper --ground plain       (rr-sim does this, with a socket as\n"
    "                                 descriptor 3)\n"
    "  rr-keeper --ground namespaces\n";

int try_ground() {
  const rr::Status outcome = rr::sim::try_own_worlds();
  fmt::print("{}\n", outcome ? "ok" : outcome.error().message);
  return outcome ? 0 : 1;
}

bool is_packet_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

}  // namespace

int main(int count, char** arguments) {
  constexpr int kSocket = 3;
  const std::string_view flag = count > 1 ? arguments[1] : "";
  const std::string_view value = count > 2 ? arguments[2] : "";
  if (flag == "--version") return fmt::print("rr-keeper {}\n", RR_VERSION), 0;
  if (flag == "--help") return fmt::print("{}", kHelp), 0;
  if (flag == "--try" && value == "namespaces") return try_ground();
  if (flag != "--ground" || (value != "plain" && value != "namespaces")) {
    fmt::print(stderr, "rr-keeper: {} is not understood; rr-keeper --help\n",
               count > 1 ? flag : "an empty command line");
    return 2;
  }
  if (!is_packet_socket(kSocket)) {
    fmt::print(stderr, "rr-keeper: descriptor 3 is not the socket that rr-sim passes; start rr-sim instead\n");
    return 2;
  }
  rr::sim::close_all_but({kSocket});
  return rr::sim::run_keeper({kSocket, value == "namespaces"});
}
