#include "lb/net/http_server.h"

#include <algorithm>
#include <utility>

#include "lb/base/request_view.h"
#include "lb/net/http_connection.h"
#include "lb/net/timer.h"

namespace rr {

namespace {

/// Deadlines are looked at this often: a quarter of the shortest, within limits.
Duration sweep_interval(const HttpServerSettings& settings) {
  const Duration shortest = std::min(settings.keep_alive, settings.request_timeout);
  return std::clamp<Duration>(shortest / 4, 10 * kMillisecond, kSecond);
}

}  // namespace

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view HttpRequest::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view HttpRequest::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

struct HttpServer::Responder::Slot : AnswerSlot {};

void HttpServer::Responder::operator()(HttpResponse response) const {
  if (slot_ && slot_->connection != nullptr) slot_->connection->answer(response);
}
void HttpServer::Responder::begin(HttpResponse head) const {
  if (slot_ && slot_->connection != nullptr) slot_->connection->begin(head);
}
bool HttpServer::Responder::chunk(std::string_view bytes) const {
  return slot_ && slot_->connection != nullptr && slot_->connection->chunk(bytes);
}
void HttpServer::Responder::end() const {
  if (slot_ && slot_->connection != nullptr) slot_->connection->end();
}
void HttpServer::Responder::abort() const {
  if (slot_ && slot_->connection != nullptr) slot_->connection->abort();
}
bool HttpServer::Responder::client_gone() const { return !slot_ || slot_->connection == nullptr; }

struct HttpServer::State final : Deferred, HttpConnectionOwner {
  State(Loop& owner_loop, StreamListener opened, bool is_shared, HttpServerSettings chosen, Handler callback)
      : loop_(owner_loop),
        settings_(chosen),
        handler_(std::move(callback)),
        endpoint_(opened.endpoint()),
        listener_(std::move(opened)),
        sweep_(owner_loop, [this] { sweep(); }),
        close_idle_soon_(
            owner_loop, [](void* self) noexcept { static_cast<State*>(self)->close_idle(); }, this),
        drained_soon_(
            owner_loop, [](void* self) noexcept { static_cast<State*>(self)->call_drained(); }, this),
        is_shared_(is_shared) {
    listener_->start([this](Stream stream) { accept(std::move(stream)); });
  }

  // HttpConnectionOwner
  Loop& loop() override { return loop_; }
  const HttpServerSettings& settings() const override { return settings_; }
  bool closing() const override { return announced_; }
  std::string& scratch() override { return scratch_; }
  bool observed() const override { return observer_ && !ended_; }
  void progress_changed(int by) override { in_progress_ += by; }

  std::string_view date() override {
    const auto second = std::chrono::floor<std::chrono::seconds>(loop_.now());
    if (date_.empty() || second != date_second_) {
      date_second_ = second;
      date_ = format_http_date(loop_.now());
    }
    return date_;
  }

  void handle(const HttpRequest& request, HttpConnection& connection) override {
    Responder responder;
    responder.slot_ = std::make_shared<Responder::Slot>();
    connection.wait_for(*responder.slot_);
    ++calls_out_;
    handler_(request, std::move(responder));
    --calls_out_;
  }

  void finished(const HttpExchange& exchange) override {
    ++calls_out_;
    observer_(exchange);
    --calls_out_;
  }

  void remove(HttpConnection& connection) override {
    if (ended_) return;
    const std::size_t place = connection.place;
    std::swap(connections_[place], connections_.back());
    connections_[place]->place = place;
    loop_.destroy_later(std::move(connections_.back()));
    connections_.pop_back();
    if (connections_.empty()) all_gone();
  }

  void all_gone() {
    sweep_.disarm();
    if (on_drained_) drained_soon_.arm();
  }

  void call_drained() {
    if (!connections_.empty() || !on_drained_) return;
    const std::function<void()> call = std::exchange(on_drained_, nullptr);
    call();  // last: may destroy the server
  }

  void accept(Stream stream) {
    if (connections_.size() >= settings_.max_connections) return;  // closed at once
    auto connection = std::make_unique<HttpConnection>(*this, std::move(stream));
    connection->place = connections_.size();
    connections_.push_back(std::move(connection));
    connections_.back()->start();
    if (!sweep_.armed()) sweep_.arm(sweep_interval(settings_));
  }

  // A request may lie in the kernel already, also on a connection that was accepted just now. So idle connections are
  // closed when the loop has been through one whole pass, in which it read what there was.
  void close_idle_later() {
    close_idle_after_passes_ = 2;  // the rest of this one, and one whole
    close_idle_soon_.arm();
  }

  void close_idle() {
    if (--close_idle_after_passes_ > 0) return close_idle_soon_.arm();
    // From the back, as a connection that goes is replaced by the last one.
    for (std::size_t i = connections_.size(); i-- > 0;) connections_[i]->close_if_idle();
    if (connections_.empty()) all_gone();
  }

  // A refusal calls the observer, which may end the server.
  void sweep() {
    ++calls_out_;
    for (std::size_t i = connections_.size(); i-- > 0;) {
      if (i < connections_.size()) connections_[i]->check(loop_.now());
    }
    --calls_out_;
    if (!ended_ && !connections_.empty()) sweep_.arm(sweep_interval(settings_));
  }

  void drain(std::function<void()> on_drained) {
    announced_ = true;
    on_drained_ = std::move(on_drained);
    if (listener_ && !is_shared_) listener_->take_queued();
    listener_.reset();  // whoever connects now is refused, or served by another process that shares the socket
    close_idle_later();
  }

  /// The end of the HttpServer. True: nobody is inside any more.
  bool finish() {
    ended_ = true;
    listener_.reset();
    sweep_.disarm();
    close_idle_soon_.disarm();
    drained_soon_.disarm();
    std::vector<std::unique_ptr<HttpConnection>> connections = std::exchange(connections_, {});
    for (std::unique_ptr<HttpConnection>& connection : connections) {
      connection->discard();
      loop_.destroy_later(std::move(connection));
    }
    return calls_out_ == 0;
  }

  Loop& loop_;
  HttpServerSettings settings_;
  Handler handler_;
  std::function<void(const HttpExchange&)> observer_;
  std::function<void()> on_drained_;
  Endpoint endpoint_;
  std::optional<StreamListener> listener_;
  std::vector<std::unique_ptr<HttpConnection>> connections_;
  Timer sweep_;
  Soon close_idle_soon_;
  Soon drained_soon_;
  int close_idle_after_passes_ = 0;
  bool is_shared_;
  std::string scratch_;
  std::string date_;
  std::chrono::time_point<Timeline, std::chrono::seconds> date_second_;
  int in_progress_ = 0;
  int calls_out_ = 0;
  bool announced_ = false;
  bool ended_ = false;
};

Result<HttpServer> HttpServer::start(Loop& loop, const Endpoint& endpoint, HttpServerSettings settings,
                                     Handler handler) {
  Result<StreamListener> listener = StreamListener::listen(loop, endpoint);
  if (!listener.ok()) return listener.error();
  const bool is_shared = std::holds_alternative<InheritedSocket>(endpoint);
  return HttpServer(std::make_unique<State>(loop, *std::move(listener), is_shared, settings, std::move(handler)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() {
  if (!state_ || state_->finish()) return;
  Loop& loop = state_->loop_;
  loop.destroy_later(std::move(state_));  // this is one of its own callbacks
}

void HttpServer::on_exchange(std::function<void(const HttpExchange&)> observer) {
  state_->observer_ = std::move(observer);
}
Endpoint HttpServer::endpoint() const { return state_->endpoint_; }
void HttpServer::announce_close(bool close_idle) {
  state_->announced_ = true;
  if (close_idle) state_->close_idle_later();
}
void HttpServer::drain(std::function<void()> on_drained) { state_->drain(std::move(on_drained)); }
std::size_t HttpServer::connections() const { return state_->connections_.size(); }
std::size_t HttpServer::in_progress() const { return static_cast<std::size_t>(state_->in_progress_); }

}  // namespace rr
