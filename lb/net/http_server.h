#pragma once
// A small HTTP/1.1 server for rr-webapp, the admin interface and the simulator's own interface: whole requests in,
// whole responses out, answered at once or later. (The proxy has its own, streaming connection types.)
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/http/limits.h"
#include "lb/net/stream.h"

namespace rr {

struct HttpRequest {
  std::string method;
  std::string target;  // as sent
  int minor = 1;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Address peer;
  std::optional<std::string_view> header(std::string_view name) const;  // any case
  std::string_view path() const;                                        // before '?'
  std::string_view query() const;                                       // after it, may be empty
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};  // beside Date, Content-Length and Connection
  std::string body{};
  bool close = false;  // end the connection after it
};

struct HttpServerSettings {
  HttpLimits limits{};
  std::size_t max_body = 1024 * 1024;                   // beyond: 413
  Duration keep_alive = std::chrono::seconds(75);       // an idle connection is closed after it
  Duration request_timeout = std::chrono::seconds(60);  // from the first byte to the complete request; beyond: 408
  std::size_t max_connections = 10'000;                 // beyond: accepted and closed at once
};

/// One finished exchange, for a log. Also for requests that were refused.
struct HttpExchange {
  std::string method, target;  // empty when they could not be read
  Address peer;
  int status = 0;                           // 0: the client went, or the handler aborted, before there was one
  std::size_t bytes_in = 0, bytes_out = 0;  // heads included
  Time began;
  Duration took{};
  std::vector<std::pair<std::string, std::string>> request_headers;
};

class HttpServer {
 public:
  /// Answers one request: call it exactly once, now or later; after the connection has gone it does nothing. Let go
  /// without an answer it makes one: 500.
  class Responder {
   public:
    void operator()(HttpResponse response) const;
    /// A response in pieces (a followed log): begin, any number of chunks, end. chunk returns false when the client has
    /// gone or is too slow (more than 1 MiB queued: then the connection is closed).
    void begin(HttpResponse head) const;
    bool chunk(std::string_view bytes) const;
    void end() const;
    /// Ends the connection with no answer.
    void abort() const;
    bool client_gone() const;

   private:
    friend class HttpServer;
    struct Slot;
    std::shared_ptr<Slot> slot_;
  };
  using Handler = std::function<void(const HttpRequest&, Responder)>;

  static Result<HttpServer> start(Loop& loop, const Endpoint& endpoint, HttpServerSettings settings, Handler handler);
  ~HttpServer();
  HttpServer(HttpServer&&) noexcept;

  void on_exchange(std::function<void(const HttpExchange&)> observer);
  Endpoint endpoint() const;
  /// From now on every answer carries Connection: close, and idle connections are closed when `close_idle` says so.
  void announce_close(bool close_idle);
  /// Ceases to accept, finishes requests in progress, then calls back.
  void drain(std::function<void()> on_drained);
  std::size_t connections() const;
  std::size_t in_progress() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rr
