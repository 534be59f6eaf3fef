#pragma once
// The running program: the routes behind a server, signals, delays and the log.
#include <map>
#include <optional>
#include <vector>

#include "lb/base/rng.h"
#include "lb/net/http_server.h"
#include "lb/net/loop.h"
#include "lb/net/signal_watcher.h"
#include "lb/net/timer.h"
#include "webapp/app/request_log.h"
#include "webapp/app/routes.h"
#include "webapp/app/settings.h"
#include "webapp/supervisor.h"

namespace rr::webapp {

/// Serving --SIGTERM--> lame duck (serves on, /healthz 503, every answer closes its connection) --its time--> draining
/// (accepts nobody, finishes what is in flight) --> the loop stops. SIGINT, which is a person at a terminal, goes to
/// draining at once; the second signal of either kind ends everything at once.
class Service {
 public:
  Service(Loop& loop, const Settings& settings);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Begins to listen, says where, and tells the service manager. Call once, before the loop runs.
  Status start();
  Endpoint endpoint() const { return server_->endpoint(); }

 private:
  enum class Phase : std::uint8_t { kServing, kLameDuck, kDraining };

  /// An answer that waits for its time. They are kept in the order of their times, for one timer.
  struct Delayed {
    HttpServer::Responder responder;
    HttpResponse response;
  };
  /// A request that waits for the end of the fault `hang`.
  struct Hanging {
    HttpRequest request;
    HttpServer::Responder responder;
  };

  void handle(const HttpRequest& request, const HttpServer::Responder& responder);
  void answer_later(Duration delay, HttpResponse response, const HttpServer::Responder& responder);
  void answer_due();
  void hold(const HttpRequest& request, const HttpServer::Responder& responder);
  void answer_hanging();
  /// Drops what waits for clients that have gone, whenever twice as much waits as the last time. So what waits is
  /// bounded by the connections that are open, at a cost that is spread over the requests.
  void forget_gone();
  void log(const HttpExchange& exchange) const;
  void say(Level level, std::string_view message) const;
  void on_terminate();
  void on_interrupt();
  void drain();
  Situation situation() const;

  Loop& loop_;
  Settings settings_;
  Time started_;
  Rng chance_;
  Faults faults_;
  Phase phase_ = Phase::kServing;
  std::multimap<Time, Delayed> delayed_;
  std::vector<Hanging> hanging_;
  static constexpr std::size_t kForgetFrom = 64;
  std::size_t forget_at_ = kForgetFrom;
  std::optional<HttpServer> server_;
  Supervisor supervisor_;
  Timer delay_;
  Timer lame_duck_;
  SignalWatcher terminate_;
  SignalWatcher interrupt_;
};

/// A message in the form that was asked for: for those who have no Service, or none that started.
void say(LogFormat format, Time now, Level level, std::string_view message);

}  // namespace rr::webapp
