// The clients' side: when they ask, whom, how long they wait, and what they make of the answer.
#include <algorithm>

#include "sim/virtual/virtual_world_state.h"

namespace rr::sim {
namespace {
constexpr int kGatewayTimeout = 504;
}

void VirtualWorld::State::arrive(Time now, std::uint32_t population) {
  ClientPopulation& who = *clients[population];
  if (!who.goes_on(now)) return;
  who.note_change(now);
  ++who.tally.offered;
  ++who.tally.in_flight;
  if (!who.closed_loop()) push(now + who.settings.between.sample(who.rng), HappeningKind::kArrival, population);
  attempt(now, population, now, 0);
}

/// The nodes in turn. With a shared front one that does not accept leaves its turn to the next.
std::optional<std::uint32_t> VirtualWorld::State::choose_node(ClientPopulation& who) {
  for (std::size_t tried = 0; tried < dns.size(); ++tried) {
    const std::uint32_t node = dns[who.next_node++ % dns.size()];
    if (settings.front == Front::kDns || nodes[node]->answers()) return node;
  }
  return std::nullopt;
}

void VirtualWorld::State::attempt(Time now, std::uint32_t population, Time intended, int number) {
  ClientPopulation& who = *clients[population];
  ++who.tally.attempts;
  const std::optional<std::uint32_t> node = choose_node(who);
  Call& call = calls.take();
  call.population = population;
  call.attempt = number;
  call.intended = intended;
  call.sent = now;
  call.status = 0;
  call.client_waits = true;
  call.node = node.value_or(0);
  who.waiting.push_back(call);
  if (!who.timer_set) {
    who.timer_set = true;
    push(now + who.settings.timeout, HappeningKind::kClientDeadlines, population);
  }
  const CallHandle handle = Slab<Call>::handle(call);
  // No name resolves, or nobody accepts: known at once, but never in the same instant, or retries would not end.
  if (!node) {
    call.blame = blame_dns(now);
    return push(now + kMillisecond, HappeningKind::kReachesClient, 0, handle);
  }
  const auto delay = links.travel(kOutside, nodes[*node]->zone, nullptr, rng);
  if (delay) return after(now, *delay, HappeningKind::kReachesNode, 0, handle);
  call.blame = blame_way(nodes[*node].get(), nullptr);
}

void VirtualWorld::State::client_hears(Time now, Call& call) {
  if (!call.client_waits) return;
  ++clients[call.population]->tally.by_status[call.status];
  const bool ok = call.status >= 200 && call.status < 500;
  if (!ok) lost(now, call, call.status == kGatewayTimeout);
  client_done(now, call, ok);
}

void VirtualWorld::State::client_done(Time now, Call& call, bool ok) {
  ClientPopulation& who = *clients[call.population];
  const std::uint32_t population = call.population;
  const Time intended = call.intended;
  const Time sent = call.sent;
  const int number = call.attempt;
  call.client_waits = false;
  static_cast<ListLink<ClientDeadlineTag>&>(call).unlink();
  free_if_over(call);
  if (!ok && who.may_retry(number)) return attempt(now, population, intended, number + 1);
  settle(now, who, population, ok, intended, sent);
}

void VirtualWorld::State::settle(Time now, ClientPopulation& who, std::uint32_t number, bool ok, Time intended,
                                 Time sent) {
  ClientTally& tally = who.tally;
  who.note_change(now);
  --tally.in_flight;
  tally.stay += now - intended;
  ++(ok ? tally.ok : tally.failed);
  if (ok && intended >= who.settings.measured_from) {
    tally.latency.record(now - intended);
    tally.latency_of_send.record(now - sent);
  }
  if (!who.closed_loop()) return;
  // A user without a pause would ask again within the instant, for ever, when nothing takes time.
  const Duration think = who.settings.between.sample(who.rng);
  push(now + (ok || think > Duration{} ? think : kMillisecond), HappeningKind::kArrival, number);
}

void VirtualWorld::State::client_deadlines(Time now, std::uint32_t population) {
  ClientPopulation& who = *clients[population];
  who.timer_set = false;
  while (Call* oldest = who.waiting.front()) {
    if (oldest->sent + who.settings.timeout > now) break;
    ++who.tally.timed_out;
    Call& call = *oldest;
    lost(now, call, true);
    if (call.exchange_open) {
      const auto delay = links.travel(kOutside, nodes[call.node]->zone, nullptr, rng);
      if (delay && *delay > Duration{}) {
        push(now + *delay, HappeningKind::kClientGoneAtNode, 0, Slab<Call>::handle(call));
      } else if (delay) {
        on_failure(now, call, ExchangeEventKind::kClientReset);
      }
    }
    client_done(now, call, false);
  }
  if (who.waiting.front() == nullptr || who.timer_set) return;
  who.timer_set = true;
  push(who.waiting.front()->sent + who.settings.timeout, HappeningKind::kClientDeadlines, population);
}

void VirtualWorld::State::dns_changed() {
  dns.clear();
  for (const auto& node : nodes) {
    if (node->accepting) dns.push_back(node->index);
  }
}

}  // namespace rr::sim
