#include "lb/net/http_client.h"

#include <utility>

#include "lb/base/check.h"
#include "lb/base/request_view.h"
#include "lb/http/head_writer.h"
#include "lb/http/response_parser.h"
#include "lb/net/timer.h"

namespace rr {

namespace {

/// Interim answers (1xx) taken before the real one; more is no server but a flood.
constexpr int kMaxInterim = 20;

bool has_header(const ClientRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (equals_ignoring_case(key, name)) return true;
  }
  return false;
}

bool usually_has_body(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

std::string to_bytes(const ClientRequest& request, const Endpoint& to, bool keep_alive) {
  std::string out = request.method + " " + request.target + " HTTP/1.1\r\n";
  if (!has_header(request, "Host")) {
    const auto* address = std::get_if<Address>(&to);
    append_header(out, "Host", address != nullptr ? format_address(*address) : "localhost");
  }
  for (const auto& [name, value] : request.headers) append_header(out, name, value);
  const bool framed = has_header(request, "Content-Length") || has_header(request, "Transfer-Encoding");
  if (!framed && (!request.body.empty() || usually_has_body(request.method))) {
    append_header(out, "Content-Length", std::to_string(request.body.size()));
  }
  if (!keep_alive && !has_header(request, "Connection")) append_header(out, "Connection", "close");
  out += "\r\n";
  out += request.body;
  return out;
}

}  // namespace

std::optional<std::string_view> ClientResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string describe(const ClientFailure& failure) {
  switch (failure.kind) {
    case ClientFailure::Kind::kConnectFailed:
      return std::string(to_string(failure.connect));
    case ClientFailure::Kind::kTimedOut:
      return "request timed out";
    case ClientFailure::Kind::kClosed:
      return "connection closed before the answer was complete";
    case ClientFailure::Kind::kReset:
      return "connection reset";
    case ClientFailure::Kind::kMalformed:
      return "not an HTTP answer, or too large a one";
  }
  return {};  // no other value exists
}

struct HttpClient::State final : Deferred, StreamEvents {
  State(Loop& owner_loop, Endpoint endpoint, Settings chosen)
      : loop(owner_loop), to(std::move(endpoint)), settings(chosen), timer(owner_loop, [this] { time_out(); }) {}

  void send(const ClientRequest& request, std::function<void(std::string_view)> body_callback, OnDone done_callback) {
    RR_CHECK(!busy, "an HttpClient sends one request at a time");
    busy = true;
    on_body = std::move(body_callback);
    on_done = std::move(done_callback);
    outgoing = to_bytes(request, to, settings.keep_alive);
    to_head_request = request.method == "HEAD";
    response = {};
    interim_seen = 0;
    timer.arm(settings.timeout);
    if (connection) {
      write_request();
    } else {
      connect();
    }
  }

  void connect() {
    parser.emplace();
    connector.emplace(loop, to, Duration::zero(), [this](Result<Stream, ConnectFailure> made) {
      connector.reset();
      if (!made.ok()) return fail({ClientFailure::Kind::kConnectFailed, made.error()});
      connection.emplace(*std::move(made));
      local = connection->local();
      connection->set_events(this);
      connection->start_reading();
      write_request();
    });
  }

  void write_request() {
    parser->expect(to_head_request);
    connection->write(outgoing);
  }

  // StreamEvents
  void on_read(std::string_view bytes) override {
    if (!busy) {  // nobody asked
      connection.reset();
      return;
    }
    while (true) {
      const ParseStep step = parser->next(bytes);
      bytes.remove_prefix(step.consumed);
      if (step.kind == ParseStep::Kind::kMessageEnd) return complete(!bytes.empty());
      if (!take_step(step)) return;
    }
  }

  /// False: more bytes are needed, or the exchange is over.
  bool take_step(const ParseStep& step) {
    switch (step.kind) {
      case ParseStep::Kind::kHead:
        return take_head();
      case ParseStep::Kind::kBody:
        return take_body(step.body);
      case ParseStep::Kind::kError:
        fail({ClientFailure::Kind::kMalformed});
        return false;
      case ParseStep::Kind::kNeedMore:
      case ParseStep::Kind::kMessageEnd:
        return false;
    }
    return false;
  }

  bool take_head() {
    const ResponseHead& head = parser->head();
    if (head.interim) {
      if (++interim_seen <= kMaxInterim) return true;
      fail({ClientFailure::Kind::kMalformed});
      return false;
    }
    response.status = head.view.status;
    for (const HeaderView& header : head.view.headers) response.headers.emplace_back(header.name, header.value);
    reusable =
        settings.keep_alive && head.keep_alive && head.framing != Framing::kUntilClose && head.view.status != 101;
    if (on_body) timer.disarm();
    return true;
  }

  bool take_body(std::string_view piece) {
    if (!on_body) {
      if (!settings.keep_body) return true;
      if (response.body.size() + piece.size() > settings.max_body) {
        fail({ClientFailure::Kind::kMalformed});
        return false;
      }
      response.body += piece;
      return true;
    }
    inside_on_body = true;
    on_body(piece);  // may destroy the client
    inside_on_body = false;
    return !abandoned;
  }

  void on_end(StreamEnd end) override {
    if (!busy) {
      connection.reset();
    } else if (end == StreamEnd::kReset) {
      fail({ClientFailure::Kind::kReset});
    } else if (response.status != 0 && parser->finish()) {
      reusable = false;
      complete(false);
    } else {
      fail({ClientFailure::Kind::kClosed});
    }
  }
  void on_drained() override {}

  void complete(bool bytes_left_over) {
    // An answer that came before the whole request was written leaves the connection in the middle of it.
    if (!reusable || bytes_left_over || connection->queued() > 0) connection.reset();
    finish(std::move(response));
  }

  void time_out() { fail({ClientFailure::Kind::kTimedOut}); }

  void fail(ClientFailure failure) {
    connector.reset();
    connection.reset();
    finish(failure);
  }

  // Last: the callback may send the next request or destroy the client.
  void finish(Result<ClientResponse, ClientFailure> result) {
    timer.disarm();
    busy = false;
    on_body = nullptr;
    const OnDone call = std::exchange(on_done, nullptr);
    call(std::move(result));
  }

  /// True: nobody is inside any more.
  bool abandon() {
    abandoned = true;
    timer.disarm();
    connector.reset();
    connection.reset();
    return !inside_on_body;
  }

  Loop& loop;
  Endpoint to;
  Settings settings;
  Timer timer;
  std::optional<Connector> connector;
  std::optional<Stream> connection;
  std::optional<ResponseParser> parser;
  std::function<void(std::string_view)> on_body;
  OnDone on_done;
  std::string outgoing;
  ClientResponse response;
  std::optional<Address> local;
  int interim_seen = 0;
  bool to_head_request = false;
  bool reusable = false;
  bool busy = false;
  bool inside_on_body = false;
  bool abandoned = false;
};

HttpClient::HttpClient(Loop& loop, Endpoint to, Settings settings)
    : state_(std::make_unique<State>(loop, std::move(to), settings)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() {
  if (!state_ || state_->abandon()) return;
  Loop& loop = state_->loop;
  loop.destroy_later(std::move(state_));
}

void HttpClient::send(ClientRequest request, OnDone on_done) { state_->send(request, nullptr, std::move(on_done)); }
void HttpClient::stream(ClientRequest request, std::function<void(std::string_view)> on_body, OnDone on_done) {
  state_->send(request, std::move(on_body), std::move(on_done));
}
bool HttpClient::busy() const { return state_->busy; }
std::optional<Address> HttpClient::local() const { return state_->local; }

}  // namespace rr
