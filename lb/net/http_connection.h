#pragma once
// One client of an HttpServer: requests in, answers out, one after the other. Private to http_server.
#include <memory>
#include <string>
#include <string_view>

#include "lb/http/request_parser.h"
#include "lb/net/http_server.h"
#include "lb/net/soon.h"
#include "lb/net/stream.h"

namespace rr {

/// A client that lets an answer's queue grow beyond this while it is streamed is too slow, and cut off.
constexpr std::size_t kMaxStreamedQueue = 1024 * 1024;
/// After a last answer the client's further bytes are read and dropped, so that no reset destroys the answer on its
/// way: so long and so many at most.
constexpr Duration kLingerTime = std::chrono::seconds(2);
constexpr std::size_t kLingerBytes = 16 * 1024 * 1024;
/// Bodies up to this size are copied behind their head and written as one piece.
constexpr std::size_t kSmallBody = 4 * 1024;
/// A request body's buffer larger than this is not kept for the next request.
constexpr std::size_t kKeptBody = 64 * 1024;

class HttpConnection;

/// What a Responder holds of the connection that waits for the answer. Dropped without an answer, it makes one (500).
struct AnswerSlot {
  HttpConnection* connection = nullptr;
  AnswerSlot() = default;
  AnswerSlot(const AnswerSlot&) = delete;
  AnswerSlot& operator=(const AnswerSlot&) = delete;
  ~AnswerSlot();
};

/// What a connection needs of its server.
class HttpConnectionOwner {
 public:
  virtual Loop& loop() = 0;
  virtual const HttpServerSettings& settings() const = 0;
  virtual bool closing() const = 0;  // every answer is the last of its connection
  virtual std::string& scratch() = 0;
  virtual std::string_view date() = 0;
  virtual bool observed() const = 0;
  /// The next two call out: the server, and with it the connection, may be closed after them.
  virtual void handle(const HttpRequest& request, HttpConnection& connection) = 0;
  virtual void finished(const HttpExchange& exchange) = 0;
  virtual void progress_changed(int by) = 0;
  /// Takes the connection, which is closed, out of the server and destroys it later.
  virtual void remove(HttpConnection& connection) = 0;

 protected:
  ~HttpConnectionOwner() = default;
};

/// kIdle --byte--> kReceiving --complete--> kHandling --answer--> kFlushing --written--> kIdle or kLingering -->
/// kClosed
class HttpConnection final : public Deferred, private StreamEvents {
 public:
  HttpConnection(HttpConnectionOwner& owner, Stream stream);
  ~HttpConnection() override;
  void start();

  /// What the Responder asks for. Each does nothing where it makes no sense any more.
  void answer(const HttpResponse& response);
  void begin(const HttpResponse& head);
  bool chunk(std::string_view bytes);
  void end();
  void abort();
  void abandoned();
  void wait_for(AnswerSlot& slot);

  void close_if_idle();
  /// Closes without a word to anybody: the server goes.
  void discard();
  /// Called now and then; acts on what is overdue.
  void check(Time now);

  std::size_t place = 0;  // in the server's list

 private:
  enum class State : std::uint8_t { kIdle, kReceiving, kHandling, kStreaming, kFlushing, kLingering, kClosed };
  static bool may_move(State from, State to);
  void to(State next);

  void on_read(std::string_view bytes) override;
  void on_end(StreamEnd end) override;
  void on_drained() override;

  void consume(std::string_view bytes);
  bool take_step(const ParseStep& step);
  bool take_head();
  bool take_body(std::string_view piece);
  void begin_request();
  void dispatch();
  void stash(std::string_view bytes);
  void go_on();
  void refuse(int status);
  void write_answer(const HttpResponse& response, bool last);
  void append_head(std::string& out, const HttpResponse& response, bool last, std::string_view framing);
  bool is_last(const HttpResponse& response) const;
  void finish(int status, bool last);
  void after_answer();
  void linger();
  void report(int status);
  void die();
  bool stalled(Time now) const;
  bool awaits_input() const { return state_ == State::kIdle || state_ == State::kReceiving; }
  bool head_only() const { return request_.method == "HEAD"; }

  HttpConnectionOwner& owner_;
  Stream stream_;
  RequestParser parser_;
  Soon go_on_soon_;
  State state_ = State::kIdle;
  HttpRequest request_;
  std::string rest_;  // bytes of the next requests that wait for this one's answer
  AnswerSlot* slot_ = nullptr;
  Time deadline_;
  Time began_;
  std::uint64_t bytes_out_ = 0;
  std::size_t bytes_in_ = 0;
  std::size_t dropped_ = 0;
  int status_ = 0;          // of the answer begun
  bool wants_more_ = true;  // the client will send another request
  bool last_ = false;       // the answer begun is the last
  bool input_ended_ = false;
  bool consuming_ = false;
};

}  // namespace rr
