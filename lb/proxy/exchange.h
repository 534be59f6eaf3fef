#pragma once
// One request and its response. The only type that knows both sides: it asks ExchangeRules what to do and does it.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lb/http/message.h"
#include "lb/policy/desync.h"
#include "lb/policy/exchange_rules.h"
#include "lb/policy/listener_rules.h"
#include "lb/proxy/back_conn.h"
#include "lb/proxy/front_stream.h"
#include "lb/proxy/sticky_cookies.h"

namespace rr {

class Listener;
class ServedGroup;
class TargetPool;
struct Worker;

/// Used for one exchange after the other; between two it belongs to the worker's free list.
class Exchange final : public BackUser {
 public:
  explicit Exchange(Worker& worker) : worker_(worker) {}

  // What the client's side reports. Each may end the exchange, and with it call FrontStream::finished().

  /// The head of a request; valid only during the call.
  void begin(FrontStream& front, Listener& listener, const RequestHead& head, bool may_keep_front);
  /// Bytes that were no request. `parsed` is false: no line of it can be logged.
  void refuse(FrontStream& front, Listener& listener, int status, const char* detail);
  void on_request_body(std::string_view bytes);
  /// `trailers` are valid during the call only.
  void on_request_end(std::span<const HeaderView> trailers);
  /// What the client said in the protocol of the tunnel.
  void on_client_bytes(std::string_view bytes);
  void on_request_malformed(const char* detail);
  void on_client_end(StreamEnd end);
  void on_front_drained();
  /// All of one read has been reported: what was collected for the target goes out in one write.
  void flush_request();
  /// True when on_request_body may be called.
  bool takes_body() const { return back_ != nullptr && rules_.state() != ExchangeState::kConnecting; }

  void check_deadline(Time now);
  /// The client's connection will not be kept.
  void close_front() { rules_.close_front(); }
  /// The process stops now.
  void on_stopped();

 private:
  void on_back_connected() override;
  void on_back_connect_failed(ConnectFailure failure) override;
  void on_interim_head(const ResponseHead& head) override;
  void on_response_head(const ResponseHead& head) override;
  void on_switched(const ResponseHead& head, std::string_view protocol) override;
  void on_tunnel_bytes(std::string_view bytes) override;
  void on_response_body(std::string_view bytes) override;
  void on_response_pause() override;
  void on_response_end(bool reusable, std::span<const HeaderView> trailers) override;
  void on_response_malformed(const char* detail) override;
  void on_back_end(StreamEnd end) override;
  void on_back_drained() override;
  void on_drain_ended() override;

  void start(FrontStream& front, Listener& listener);
  /// True when the request goes no further.
  bool mitigate(const RequestHead& head);
  bool refuse_by_head(const RequestHead& head);
  void note_upgrade(const RequestHead& head);
  void answer_by_rule(const RequestHead& head, int status);
  void redirect(const RequestHead& head, const RedirectAction& action);
  bool transform(const RequestHead& head, const RuleChoice& choice);
  void refuse_for_rule(const RequestHead& head, int status, const char* detail);
  void forward(const RequestHead& head, ServedGroup& group);
  std::optional<TargetId> choose_sticky_target(const RequestHead& head);
  std::string_view own_response_fields(const ResponseHead& head);
  void build_head(const RequestHead& head);
  void note_trace_id(const RequestHead& head);
  void note_request(const RequestHead& head);
  std::string explanation() const;
  void note_error() const;
  ExchangeEvent event(ExchangeEventKind kind, const char* detail = "") const;
  void finish_on(const ExchangeEvent& event);
  void end(const ExchangeStep& step);
  void release_back(bool keep);
  void forget_large_texts();
  void count() const;
  void count_latencies(const ExchangeRecord& record) const;
  void write_log() const;
  void pause_back_if_front_is_slow();

  Worker& worker_;
  FrontStream* front_ = nullptr;
  Listener* listener_ = nullptr;
  ServedGroup* group_ = nullptr;
  TargetPool* pool_ = nullptr;
  BackConn* back_ = nullptr;
  ExchangeRules rules_;
  const FixedResponseAction* fixed_ = nullptr;
  Framing request_framing_ = Framing::kNone;
  bool head_request_ = false;
  bool request_collected_ = false;  // worker_.back_out holds bytes of ours
  bool may_switch_ = false;         // the target was asked for another protocol
  bool doubtful_ = false;           // neither connection is kept after it
  DesyncClass desync_;
  bool request_paused_ = false;
  bool response_paused_ = false;
  int minor_ = 1;
  int rule_priority_ = -1;
  std::string protocols_;     // those that it was asked for, each with a comma behind it
  std::string redirect_url_;  // of a redirect action
  StickyCookies sticky_;
  Transformed transformed_;  // by the rule's transforms, where it has any
  std::string held_head_;    // until the connection is there
  // What Connection named, of messages in chunks: trailers of these names stay on their hop.
  std::string request_hop_names_, response_hop_names_;

  // For the access log and the list of errors; the host and the user agent only when there is an access log.
  std::string method_, target_, host_, user_agent_, trace_id_;
};

}  // namespace rr
