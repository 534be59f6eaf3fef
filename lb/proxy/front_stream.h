#pragma once
// The client's side as an exchange sees it. Today an HTTP/1.1 connection; an HTTP/2 stream, of which a connection has
// many, or a connection under TLS stands behind the same interface.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "lb/base/address.h"
#include "lb/base/time.h"
#include "lb/http/message.h"
#include "lb/policy/settings.h"

namespace rr {

class Exchange;

/// What an exchange leaves the client's side with.
enum class FrontEnd : std::uint8_t {
  kKeep,      // ready for the next request
  kClose,     // what was written is delivered, then the connection closes
  kTruncate,  // the client must be able to tell that the response is not complete
  kAbandon,   // the client has gone
};

/// Who the client is.
struct FrontPeer {
  Address address;
  std::string_view ip;                                    // of the peer, as text
  std::string_view local_ip;                              // of this node; only while there is an access log
  std::uint64_t connection_high = 0, connection_low = 0;  // names the connection in logs; likewise
};

class FrontStream {
 public:
  /// The interim response that an `Expect: 100-continue` waits for.
  virtual void send_continue() = 0;
  /// A 1xx of the target's; dropped where the client's version knows none.
  virtual void send_interim(const ResponseHead& head) = 0;
  /// Whether the client can see the end of such a body without a close.
  virtual bool delimits(const ResponseHead& head) const = 0;
  /// `own_fields` are whole lines that the load balancer adds.
  virtual void send_head(const ResponseHead& head, bool keep_alive, std::string_view own_fields) = 0;
  /// Takes back what send_head() and send_body() wrote. False: some of it has left already, nothing was taken back.
  virtual bool take_back_response() = 0;
  /// The 101. Then what the client sends comes as Exchange::on_client_bytes(), what it had sent already at once.
  virtual void open_tunnel(const ResponseHead& head, std::string_view own_fields) = 0;
  virtual void send_tunnel(std::string_view bytes) = 0;
  virtual void send_body(std::string_view bytes) = 0;
  /// The end of the body. The trailers go on where the client's framing has room for them and they may be passed on;
  /// `hop_names` as in TrailerRules.
  virtual void send_end(std::span<const HeaderView> trailers, std::string_view hop_names) = 0;
  /// `explanation` goes into X-RR-Explain unless it is empty: printable ASCII.
  virtual void send_error(int status, bool keep_alive, std::string_view explanation) = 0;
  virtual void send_redirect(int status, std::string_view location, bool keep_alive) = 0;
  virtual void send_fixed_response(const FixedResponseAction& action, bool keep_alive) = 0;
  /// Hands what was sent to the kernel: one write for head and first body. Returns what the client has not taken yet.
  virtual std::size_t flush() = 0;
  /// What the client has not taken yet, collected bytes not counted.
  virtual std::size_t queued() const = 0;

  /// No more of the request's body until resume_request(). What was read already still comes.
  virtual void pause_request() = 0;
  /// May deliver body bytes that waited, and with them end the exchange: call it last.
  virtual void resume_request() = 0;

  virtual FrontPeer peer() const = 0;
  virtual Time last_activity() const = 0;
  virtual std::uint64_t received_bytes() const = 0;  // of this request
  virtual std::uint64_t sent_bytes() const = 0;      // of this response

  /// The exchange is over and belongs to the front stream again: it may be gone when this returns. Call it last.
  virtual void finished(FrontEnd end) = 0;

 protected:
  ~FrontStream() = default;
};

}  // namespace rr
