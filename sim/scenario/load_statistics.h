#pragma once
// What an open-loop load has seen: counts by cause, shares, latencies from the scheduled send. Plain values; no clock.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr::sim {

/// How one request ended, from the client's side.
enum class RequestCause : std::uint8_t {
  kAnswered,        // by the program behind the balancer, or by a status that it chose
  kBadGateway,      // 502
  kUnavailable,     // 503
  kGatewayTimeout,  // 504
  kOtherError,      // another 5xx
  kRefused,         // no connection
  kReset,           // the connection was reset before a complete answer
  kClosed,          // the connection was closed before a complete answer
  kTimedOut,        // no complete answer in time
  kMalformed,       // not HTTP
};
constexpr std::size_t kRequestCauses = 10;
std::string_view to_string(RequestCause cause);  // "502 from the load balancer"
bool failed(RequestCause cause);

/// One finished request. Latency counts from when it was due, not from when there was a connection for it: a generator
/// that waits for slow answers before it sends the next would not see them (coordinated omission).
struct LoadSample {
  std::uint64_t number = 0;
  Time scheduled;
  Time ended;
  RequestCause cause = RequestCause::kAnswered;
  int status = 0;      // 0: no answer
  std::string host;    // that the page says it is served from; empty: it says nothing
  std::string commit;  // that the page names; empty: it names none
  std::string trace;   // Root of the X-Amzn-Trace-Id that it was sent with
};

/// What the page of rr-webapp says about itself.
struct PageOrigin {
  std::string host;
  std::string commit;
  std::string build;
  bool operator==(const PageOrigin&) const = default;
};
std::optional<PageOrigin> read_page(std::string_view body);

/// Latencies in buckets of 1/32 of their power of two: percentiles within 3.2 % at constant memory.
class LatencyHistogram {
 public:
  void add(Duration latency);
  std::uint64_t count() const { return count_; }
  /// The smallest bucket bound below which `share` (0 to 1) of the latencies lie. Zero when there are none.
  Duration percentile(double share) const;
  Duration most() const { return most_; }

 private:
  static constexpr int kSubBits = 5;
  std::array<std::uint64_t, (64 - kSubBits + 1) << kSubBits> buckets_{};
  std::uint64_t count_ = 0;
  Duration most_{};
};

struct LoadStatistics {
  std::uint64_t finished = 0;
  std::uint64_t failed = 0;
  std::uint64_t not_sent = 0;  // due while as many as allowed were outstanding
  std::array<std::uint64_t, kRequestCauses> by_cause{};
  std::map<std::string, std::uint64_t> by_host;  // answered ones; at most kMostHosts, the rest under "others"
  LatencyHistogram latency;                      // answered ones

  static constexpr std::size_t kMostHosts = 64;
  void add(const LoadSample& sample);
};

/// "ip-172-31-16-10 50.0 %  ip-172-31-32-10 50.0 %", by name.
std::string format_shares(const std::map<std::string, std::uint64_t>& by_host);
/// "3 failed: 2 connection reset, 1 502 from the load balancer", or "none failed".
std::string format_failures(const LoadStatistics& statistics);

}  // namespace rr::sim
