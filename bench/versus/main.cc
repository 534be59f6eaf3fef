// bench_peer: what bench/run versus puts before, behind and beside the proxies that it measures.
#include <csignal>
#include <cstdio>
#include <string_view>

#include "bench/versus/sockets.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view program = argc > 1 ? argv[1] : "";
  if (program == "origin") return rr::bench::run_origin(argc - 2, argv + 2);
  if (program == "load") return rr::bench::run_load(argc - 2, argv + 2);
  if (program == "epoll-relay") return rr::bench::run_epoll_relay(argc - 2, argv + 2);
  if (program == "uv-relay") return rr::bench::run_uv_relay(argc - 2, argv + 2);
  std::fputs(
      "usage: bench_peer origin ADDRESS...\n"
      "       bench_peer load ADDRESS [--connections N] [--seconds S] [--rate N] [--path P] [--body BYTES]\n"
      "                               [--expect BYTES] [--browser] [--close]\n"
      "       bench_peer epoll-relay|uv-relay ADDRESS TARGET...\n",
      stderr);
  return 2;
}
