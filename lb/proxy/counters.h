#pragma once
// Plain counters of one worker: written on the request path without locks or look-ups, summed and printed when somebody
// asks. What a target does is counted in its own TargetCounters and nowhere else; a group and a load balancer add up.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "lb/base/time.h"
#include "lb/proxy/latency_histogram.h"

namespace rr {

struct TargetCounters {
  std::uint64_t requests = 0;                   // given to the target
  std::array<std::uint64_t, 5> status_class{};  // its answers: 1xx (as final), 2xx, 3xx, 4xx, 5xx
  std::uint64_t connection_errors = 0;          // connections that were not made
  std::uint64_t connections_opened = 0;

  TargetCounters& operator+=(const TargetCounters& other) {
    requests += other.requests;
    for (std::size_t i = 0; i < status_class.size(); ++i) status_class[i] += other.status_class[i];
    connection_errors += other.connection_errors;
    connections_opened += other.connections_opened;
    return *this;
  }
};

/// Of a target group's requests.
struct GroupLatencies {
  LatencyHistogram connect;     // chosen -> connected, where no kept connection was there
  LatencyHistogram first_byte;  // sent -> response head: TargetResponseTime
  LatencyHistogram total;       // head received -> over; not of tunnels

  GroupLatencies& operator+=(const GroupLatencies& other) {
    connect += other.connect;
    first_byte += other.first_byte;
    total += other.total;
    return *this;
  }
};

/// What a target group, or all of a load balancer's, come to.
struct GroupTotals {
  TargetCounters targets;  // those that are forgotten by now included
  GroupLatencies latencies;
  std::size_t connections = 0;  // open ones

  GroupTotals& operator+=(const GroupTotals& other) {
    targets += other.targets;
    latencies += other.latencies;
    connections += other.connections;
    return *this;
  }
};

struct LoadBalancerCounters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_rejected = 0;  // by the kernel, at sockets that are no longer this load balancer's
  std::uint64_t requests = 0;              // every message that got a line in the access log
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t ipv6_requests = 0;             // of `requests`
  std::uint64_t ipv6_bytes = 0;                // of received_bytes and sent_bytes
  std::uint64_t desync_non_compliant = 0;      // DesyncMitigationMode_NonCompliant_Request_Count
  std::uint64_t dropped_invalid_header = 0;    // DroppedInvalidHeaderRequestCount
  std::uint64_t forwarded_invalid_header = 0;  // ForwardedInvalidHeaderRequestCount
  std::uint64_t rule_evaluations = 0;          // rules that were asked, default ones not counted
  std::uint64_t redirects = 0, fixed_responses = 0;
  std::uint64_t redirects_too_long = 0;         // answered 507
  std::uint64_t non_sticky = 0;                 // NonStickyRequestCount
  std::uint64_t app_cookie_non_sticky = 0;      // AppCookieNonStickinessCount
  std::uint64_t truncated = 0;                  // responses that were cut after their head
  std::array<std::uint64_t, 600> own_status{};  // answers of the load balancer's own, and 460, by status

  LoadBalancerCounters& operator+=(const LoadBalancerCounters& other) {
    // Every member is a count: taken as one array, none can be forgotten here.
    using Counts = std::array<std::uint64_t, sizeof(LoadBalancerCounters) / sizeof(std::uint64_t)>;
    auto sum = std::bit_cast<Counts>(*this);
    const auto added = std::bit_cast<Counts>(other);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += added[i];
    return *this = std::bit_cast<LoadBalancerCounters>(sum);
  }

  /// Of own_status, from `first` to `last`.
  std::uint64_t own_responses(std::size_t first, std::size_t last) const {
    std::uint64_t sum = 0;
    for (std::size_t status = first; status <= last; ++status) sum += own_status[status];
    return sum;
  }
};

}  // namespace rr
