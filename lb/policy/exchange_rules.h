#pragma once
// One request and its response as an explicit machine: what happened in, what is to be done next out. The load balancer
// drives it with sockets, the virtual world with records; both therefore answer every failure alike.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lb/base/time.h"

namespace rr {

enum class ExchangeState : std::uint8_t {
  kNew,         // the request's head is known, nobody is chosen
  kConnecting,  // a target is chosen, the connection to it is being made
  kUploading,   // the head was sent, the request's body is on its way, no response yet
  kAwaiting,    // the whole request was sent, no response yet
  kBothWays,    // the response has begun before the request is complete
  kRelaying,    // the response has begun, the request is complete
  kTunnel,      // the target switched protocols: bytes both ways, nobody reads them
  kEnded,
};
constexpr std::size_t kExchangeStates = 8;

enum class ExchangeEventKind : std::uint8_t {
  kRefused,            // the request is not acceptable: `status` answers it
  kFixedResponse,      // a rule answers it: `status`
  kNoTarget,           // the target group has nobody
  kAssignedFresh,      // a target was chosen; a connection must be made
  kAssignedReused,     // a target was chosen; a kept connection takes it, idle for `idle`
  kConnected,          //
  kConnectFailed,      // refused or unreachable
  kConnectTimedOut,    //
  kConnectLimit,       // this machine has no descriptor or port left
  kRequestComplete,    // the last byte of a request with a body was handed to the target's connection
  kRequestMalformed,   // the request's body cannot be read
  kClientClosed,       // orderly
  kClientReset,        //
  kClientSilent,       // nothing from or to the client for the idle timeout while it was the client's turn
  kInterimHead,        // 1xx: `status`
  kResponseHead,       // `status`; `delimited`: the client can see the end of the body without a close
  kResponseComplete,   // `reusable`: the target's connection may take another request
  kTargetClosed,       // orderly, before the response was complete
  kTargetReset,        //
  kTargetSilent,       // nothing from or to the target for the idle timeout while it was the target's turn
  kResponseMalformed,  // not a response, or beyond a limit
  kDrainEnded,         // the target's deregistration delay is over
  kStopped,            // this process stops now
  kSwitched,           // 101, which was asked for
  kTunnelSilent,       // nothing from or to either side for the idle timeout
};
constexpr std::size_t kExchangeEventKinds = 25;

std::string_view to_string(ExchangeState state);
std::string_view to_string(ExchangeEventKind kind);

struct ExchangeEvent {
  ExchangeEventKind kind{};
  Time at{};
  int status = 0;
  std::uint32_t target = 0;  // with kAssigned...: TargetId::value
  Duration idle{};           // with kAssignedReused
  /// With kAssignedReused: the target had closed that connection so long ago, and nobody here knew it.
  std::optional<Duration> closed_before{};
  bool delimited = true;
  bool taken_back = false;  // kResponseMalformed behind a head: nothing of the response had left, and nothing will
  bool reusable = false;    // kResponseComplete, as said; kRefused: the connection to the client can be read on
  const char* detail = "";  // a constant: what exactly was wrong
};

enum class ExchangeAct : std::uint8_t {
  kNothing,       // go on
  kConnect,       // make a connection to the target
  kSend,          // send the head, then the body as it comes
  kRelayInterim,  // pass the interim response on
  kSkipInterim,   // drop it
  kRelayHead,     // pass the response's head on; `keep_front` is what it announces
  // The exchange is over:
  kAnswer,    // with an answer of our own, `status`
  kTruncate,  // in the middle of a response: the client must be able to tell
  kAbandon,   // the client has gone: nothing is sent
  kFinish,    // properly
};

struct ExchangeStep {
  ExchangeAct act = ExchangeAct::kNothing;
  int status = 0;           // with kAnswer
  bool keep_front = false;  // the client's connection takes another request
  bool keep_back = false;   // so does the target's
  bool operator==(const ExchangeStep&) const = default;
};
constexpr bool ends(ExchangeAct act) { return act >= ExchangeAct::kAnswer; }

/// How it ended, for logs, counters and people.
enum class ExchangeCause : std::uint8_t {
  kInProgress,
  kCompleted,
  kRefused,
  kFixedResponse,
  kNoTarget,
  kConnectFailed,
  kConnectTimedOut,
  kConnectLimit,
  kRequestMalformed,
  kClientClosed,
  kClientReset,
  kClientSilent,
  kTargetClosed,
  kTargetReset,
  kTargetSilent,
  kResponseMalformed,
  kTooManyInterim,
  kDrainEnded,
  kStopped,
};
std::string_view to_string(ExchangeCause cause);  // "target_closed"
/// Whether it was neither a whole response nor an answer that a rule asked for. A client that left counts.
bool is_error_of_our_own(ExchangeCause cause);

/// More interim responses than that before the real one are an attack or a bug: 502.
constexpr int kMaximumInterimResponses = 16;

/// The three spans of an access-log line; none prints as -1.
struct ProcessingTimes {
  std::optional<Duration> request;   // received -> sent to the target
  std::optional<Duration> target;    // sent -> first byte of the response's head
  std::optional<Duration> response;  // head received -> head sent on
};

/// What is worth telling about one exchange afterwards. Plain facts, no text: text is made only when somebody asks.
struct ExchangeRecord {
  Time created{};
  Time sent{};  // to the target; meaningful when sent_to_target
  Time head{};  // of the response; meaningful when target_status != 0
  Time ended{};
  std::uint32_t target = 0;  // meaningful when assigned
  bool assigned = false;
  bool reused = false;  // a kept connection took it
  bool sent_to_target = false;
  bool request_complete = false;
  Duration idle_before{};                   // of that connection
  std::optional<Duration> closed_before{};  // it was closed by the target that long before the request was sent on it
  ExchangeCause cause = ExchangeCause::kInProgress;
  int status = 0;         // elb_status_code
  int target_status = 0;  // 0: no response
  int interim_responses = 0;
  const char* detail = "";

  ProcessingTimes times() const;
};

/// The machine. Never allocates. An event that cannot happen in the present state ends the process: the driver lost
/// track of which bytes belong to whom.
class ExchangeRules {
 public:
  ExchangeRules() = default;
  /// `client_keeps_alive`: what the client wants. `has_body`: a kRequestComplete will follow.
  ExchangeRules(Time created, bool client_keeps_alive, bool has_body);

  ExchangeStep on(const ExchangeEvent& event);

  /// The client's connection shall not be kept after this exchange: its time is over, or the process stops. Has no
  /// effect on what was announced already.
  void close_front() { client_keeps_alive_ = false; }

  ExchangeState state() const { return state_; }
  bool response_begun() const {
    return state_ == ExchangeState::kBothWays || state_ == ExchangeState::kRelaying || state_ == ExchangeState::kTunnel;
  }
  const ExchangeRecord& record() const { return record_; }

  /// Whether the table of moves has an answer for it.
  static bool legal(ExchangeState state, ExchangeEventKind kind);

 private:
  ExchangeStep answer(const ExchangeEvent& event, int status, bool may_keep);
  ExchangeStep cut(const ExchangeEvent& event);
  ExchangeStep end(const ExchangeEvent& event, ExchangeStep step);
  ExchangeStep assign(const ExchangeEvent& event, bool reused);
  ExchangeStep send(const ExchangeEvent& event);
  ExchangeStep request_complete();
  ExchangeStep interim(const ExchangeEvent& event);
  ExchangeStep relay_head(const ExchangeEvent& event);
  ExchangeStep open_tunnel(const ExchangeEvent& event);
  ExchangeStep close_tunnel(const ExchangeEvent& event);
  ExchangeStep leave(const ExchangeEvent& event);

  ExchangeState state_ = ExchangeState::kEnded;
  bool client_keeps_alive_ = false;
  bool announced_keep_ = false;
  ExchangeRecord record_;
};

}  // namespace rr
