#pragma once
// A small HTTP/1.1 client for health checks, the control channel, the load generator and the command line.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lb/net/stream.h"

namespace rr {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers{};  // Host and Content-Length are added when missing
  std::string body{};
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::optional<std::string_view> header(std::string_view name) const;
};

/// Why there is no response.
struct ClientFailure {
  enum class Kind : std::uint8_t {
    kConnectFailed,  // see connect
    kTimedOut,       // no complete answer in time (connecting included)
    kClosed,         // the peer closed before a complete answer
    kReset,
    kMalformed,  // not HTTP, or larger than max_body
  };
  Kind kind = Kind::kConnectFailed;
  ConnectFailure connect = ConnectFailure::kOther;
  bool operator==(const ClientFailure&) const = default;
};
std::string describe(const ClientFailure& failure);  // "connection refused"

/// A connection that is used for one request after the other, or one that is closed after each.
class HttpClient {
 public:
  struct Settings {
    Duration timeout = std::chrono::seconds(5);  // for each whole exchange
    bool keep_alive = true;                      // false: a fresh connection a request, Connection: close
    std::size_t max_body = 16 * 1024 * 1024;
    bool keep_body = true;  // false: it is read to its end and dropped, whatever its size
  };
  using OnDone = std::function<void(Result<ClientResponse, ClientFailure>)>;

  HttpClient(Loop& loop, Endpoint to, Settings settings);
  /// Abandons the request in progress: its callback does not come.
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;

  /// One at a time: the one before must have been answered. The callback may start the next or destroy the client.
  void send(ClientRequest request, OnDone on_done);
  /// As send, but body pieces are handed out as they come (a followed log); `on_done` comes at the end and gets the
  /// head with an empty body. The time-out then measures silence before the head only.
  void stream(ClientRequest request, std::function<void(std::string_view)> on_body, OnDone on_done);
  bool busy() const;
  /// Which local address and port the last request left from.
  std::optional<Address> local() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rr
