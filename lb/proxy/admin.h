#pragma once
// The control channel and what people ask a node: JSON over HTTP.
//
//   PUT  /desired   the node's whole configuration, with a generation     GET /observed?drains_since=N
//   PUT  /targets   the targets of one group (no control plane)           GET /targets  GET /config  GET /metrics
//   POST /stop      graceful stop                                         GET /healthz  GET /errors  GET /warnings
//   /load_balancers and below: parts of the configuration, to be looked at and changed (lb/proxy/config_api.h)
#include <functional>
#include <string>

#include "lb/net/http_server.h"

namespace rr {

class Crew;

class Admin {
 public:
  /// `on_stop` is called when somebody asks for the graceful stop.
  static Result<Admin> start(Crew& crew, const Endpoint& endpoint, std::function<void()> on_stop);
  Endpoint endpoint() const { return server_.endpoint(); }

 private:
  explicit Admin(HttpServer server) : server_(std::move(server)) {}
  HttpServer server_;
};

}  // namespace rr
