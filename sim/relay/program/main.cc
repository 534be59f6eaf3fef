// rr-relay: the part of rr-sim that does the faults of links. See sim/relay/relay.h.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <random>
#include <string_view>

#include "lb/net/http_server.h"
#include "lb/net/signal_watcher.h"
#include "rr_version.h"
#include "sim/relay/links_document.h"

namespace {

using namespace rr;
using namespace rr::sim;

constexpr std::string_view kHelp =
    "rr-relay is started by rr-sim while a link of the tier has a fault: nodes\n"
    "connect to targets through it, and it delays, resets, refuses or swallows what\n"
    "crosses it.\n"
    "\n"
    "  rr-relay --control unix:PATH --address IP\n"
    "                            rr-sim does this, and tells it the links: PUT /links\n";

HttpResponse answer(Relay& relay, const HttpRequest& request) {
  HttpResponse response;
  if (request.path() != "/links" || (request.method != "PUT" && request.method != "GET")) {
    response.status = 404;
    response.body = "GET or PUT /links is right\n";
    return response;
  }
  if (request.method == "PUT") {
    const auto links = read_links(request.body);
    const Status made = links ? relay.set_links(*links) : Status(links.error());
    if (!made) {
      response.status = links ? 500 : 400;
      response.body = made.error().message + "\n";
      return response;
    }
  }
  response.headers = {{"Content-Type", "application/json"}};
  response.body = write_ports(relay.ports(), relay.connections()) + "\n";
  return response;
}

int run(const Endpoint& control, const Address& address) {
  Loop loop;
  std::random_device chance;
  Relay relay(loop, address, (std::uint64_t{chance()} << 32U) | chance());
  auto server = HttpServer::start(
      loop, control, HttpServerSettings{},
      [&](const HttpRequest& request, const HttpServer::Responder& responder) { responder(answer(relay, request)); });
  if (!server) {
    fmt::print(stderr, "rr-relay: {}\n", server.error().message);
    return 3;
  }
  SignalWatcher terminated(loop, SIGTERM, [&] { loop.stop(); });
  SignalWatcher interrupted(loop, SIGINT, [&] { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view first = count > 1 ? arguments[1] : "";
  if (first == "--version") return fmt::print("rr-relay {}\n", RR_VERSION), 0;
  if (first == "--help") return fmt::print("{}", kHelp), 0;
  if (count != 5 || first != "--control" || std::string_view(arguments[3]) != "--address") {
    fmt::print(stderr, "rr-relay: this command line is not understood; rr-relay --help\n");
    return 2;
  }
  const auto control = parse_endpoint(arguments[2]);
  if (!control) return fmt::print(stderr, "rr-relay: --control {}\n", control.error().message), 2;
  const auto address = parse_ip(arguments[4], 0);
  if (!address) return fmt::print(stderr, "rr-relay: --address {}\n", address.error().message), 2;
  return run(*control, *address);
}
