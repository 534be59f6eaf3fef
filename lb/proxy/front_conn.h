#pragma once
// An HTTP/1.1 connection to a client.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lb/base/intrusive_list.h"
#include "lb/http/request_parser.h"
#include "lb/net/loop.h"
#include "lb/net/stream.h"
#include "lb/proxy/front_stream.h"

namespace rr {

class Exchange;
class Listener;
struct Worker;
struct FrontTag;
struct ReadyTag;

/// Lives in its listener's list from birth to dispose(), then on the loop's deferred list. One request at a time; what
/// a client sends ahead waits here, a bounded amount.
class FrontConn final : public StreamEvents,
                        public FrontStream,
                        public Deferred,
                        public ListLink<FrontTag>,
                        public ListLink<ReadyTag> {
 public:
  enum class State : std::uint8_t {
    kReading,    // between requests, or in the middle of a head
    kBusy,       // an exchange is in progress
    kTunnel,     // an exchange is in progress that is a tunnel: bytes are not read but passed on
    kLingering,  // everything was sent, the client has time to read it before the close
    kClosed,
  };

  FrontConn(Worker& worker, Listener& listener, Stream stream);
  ~FrontConn() override;
  /// Reads from the end of this pass of the loop on.
  void start();

  /// Ends what has been silent for too long. The connection may be gone from its list afterwards.
  void check_deadline(Time now);
  /// No request after the present one; an idle connection closes soon.
  void drain();
  /// Ends at once.
  void stop();
  /// Begins to read, or goes on with bytes that waited.
  void go_on();
  State state() const { return state_; }

 private:
  // StreamEvents
  void on_read(std::string_view bytes) override;
  void on_end(StreamEnd end) override;
  void on_drained() override;

  // FrontStream
  void send_continue() override;
  void send_interim(const ResponseHead& head) override;
  bool delimits(const ResponseHead& head) const override;
  void send_head(const ResponseHead& head, bool keep_alive, std::string_view own_fields) override;
  bool take_back_response() override;
  void open_tunnel(const ResponseHead& head, std::string_view own_fields) override;
  void send_tunnel(std::string_view bytes) override;
  void send_body(std::string_view bytes) override;
  void send_end(std::span<const HeaderView> trailers, std::string_view hop_names) override;
  void send_error(int status, bool keep_alive, std::string_view explanation) override;
  void send_redirect(int status, std::string_view location, bool keep_alive) override;
  void send_fixed_response(const FixedResponseAction& action, bool keep_alive) override;
  std::size_t flush() override;
  std::size_t queued() const override { return stream_.queued(); }
  void pause_request() override { stream_.pause(PauseReason::kPeerSlow); }
  void resume_request() override;
  FrontPeer peer() const override;
  Time last_activity() const override { return stream_.last_activity(); }
  std::uint64_t received_bytes() const override { return received_; }
  std::uint64_t sent_bytes() const override { return sent_; }
  void finished(FrontEnd end) override;

  void to(State next);
  void write_connection_log();
  void read_first();
  bool can_parse() const;
  bool inside_head() const { return parser_ && !parser_->idle() && !message_open_; }
  void pump(std::string_view bytes);
  bool take(const ParseStep& step);
  void begin_exchange();
  void refuse(ParseError error);
  void refuse_silence(bool between_requests);
  void hold(std::string_view bytes);
  void close_gently();
  void dispose();
  void take_tunnel_bytes(std::string_view bytes);
  bool lifetime_over(Time now) const;

  Worker& worker_;
  Listener& listener_;
  Stream stream_;
  std::optional<RequestParser> parser_;  // while there is a request to be read
  std::unique_ptr<Exchange> exchange_;
  State state_ = State::kReading;
  bool started_ = false;  // to read
  bool pumping_ = false;
  bool message_open_ = false;  // a head was read and the end of its message was not
  bool message_has_body_ = false;
  bool unreadable_ = false;  // bytes may be left that nobody will read: close late
  bool draining_ = false;
  bool head_request_ = false;
  int minor_ = 1;
  Framing response_framing_ = Framing::kNone;
  std::string pending_;  // read, but not its turn
  std::uint64_t requests_ = 0;
  std::uint64_t received_ = 0, sent_ = 0;
  std::uint64_t sent_before_head_ = 0;     // what of this response had left when its head was written,
  std::size_t collected_before_head_ = 0;  // and what was collected and had not
  Time created_;
  Time deadline_{};             // kLingering: when to give up; draining: when an idle connection closes
  Duration client_keep_alive_;  // fixed at connect, as the ALB does
  Address peer_;
  std::string local_ip_;
  std::uint64_t connection_high_ = 0, connection_low_ = 0;
  char ip_text_[46] = {};
  std::uint8_t ip_length_ = 0;
  std::optional<Time> head_since_;  // the first byte of a head that is not complete
};

}  // namespace rr
