#pragma once
// One attempt of a client at one request, and a connection from a node to an instance.
#include <cstdint>
#include <optional>

#include "lb/base/intrusive_list.h"
#include "lb/base/time.h"
#include "lb/policy/exchange_rules.h"
#include "lb/policy/pool_rules.h"
#include "sim/virtual/loss.h"

namespace rr::sim {

class InstancePool;
struct Call;

/// As its node sees it; `closed_at` is when the target closed it, while the node has not heard of that.
struct VirtualConnection : ListLink<IdleTag> {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  Time idle_since{};
  std::optional<Time> closed_at;
  InstancePool* pool = nullptr;
  Call* call = nullptr;        // that uses it; nobody: it is idle
  bool timer_set = false;      // an event will look at it
  std::uint32_t requests = 0;  // that were sent on it

  void reset() {
    closed_at.reset();
    pool = nullptr;
    call = nullptr;
    timer_set = false;
    requests = 0;
  }
};

struct BusyTag;
struct NodeDeadlineTag;
struct ClientDeadlineTag;

/// Its two ends live apart: the client may give up before its node hears of it, and the node may have answered before
/// the client has the answer. It goes when both are over.
struct Call : ListLink<BusyTag>, ListLink<NodeDeadlineTag>, ListLink<ClientDeadlineTag> {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::uint32_t population = 0;
  std::uint32_t node = 0;
  std::uint32_t instance = 0;  // meaningful with a connection
  int attempt = 0;             // 0: the first
  int status = 0;              // of the answer that is on its way to the client; 0: the connection broke
  Time intended{};             // when the request was wanted
  Time sent{};                 // when this attempt began
  Time deadline{};             // of the node, while it waits for the target
  bool client_waits = false;
  bool exchange_open = false;
  bool broken = false;   // its connection to the node ended without an answer
  bool reached = false;  // it was given to an instance
  bool listed = false;   // which was registered then
  Blame blame{};         // should it fail: what has gone wrong so far
  InstancePool* pool = nullptr;
  VirtualConnection* connection = nullptr;
  ExchangeRules rules;

  void reset() {
    static_cast<ListLink<BusyTag>&>(*this).unlink();
    static_cast<ListLink<NodeDeadlineTag>&>(*this).unlink();
    static_cast<ListLink<ClientDeadlineTag>&>(*this).unlink();
    client_waits = false;
    exchange_open = false;
    broken = false;
    reached = false;
    listed = false;
    blame = {};
    pool = nullptr;
    connection = nullptr;
  }
};

}  // namespace rr::sim
