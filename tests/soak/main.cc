// soak_peer: the clients and the targets of ./soak, as two commands of one program.
#include <cstdio>
#include <string_view>

#include "tests/soak/poll_loop.h"

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  int status = 2;
  if (command == "load") status = rr::soak::run_load(argc, argv);
  if (command == "target") status = rr::soak::run_target(argc, argv);
  if (status == 2) {
    std::fprintf(stderr,
                 "usage: soak_peer load PORT REQUESTS CONNECTIONS\n"
                 "       soak_peer target PORT SLOW_MILLISECONDS CLOSE_EVERY\n");
  }
  return status;
}
