#include "lb/proxy/back_pool.h"

#include <algorithm>

#include "lb/proxy/worker.h"

namespace rr {

TargetPool::TargetPool(Worker& worker, TargetId target, const TargetSpec& spec, const PoolSettings& settings)
    : worker_(worker), target_(target), spec_(spec), text_(format_address(spec.address)), settings_(settings) {}

TargetPool::~TargetPool() {
  close_idle();
  while (BackConn* connection = busy_.front()) {
    connection->detach();
    close(*connection);
  }
}

BackConn* TargetPool::take_idle() {
  BackConn* connection = idle_.take(worker_.loop.polls());
  // One whose close will be heard of in this very pass: its timer is only rounded up.
  while (connection != nullptr && connection->closed_at() &&
         !PoolRules::believed_open(*connection->closed_at(), network_delay(), worker_.loop.now())) {
    connection->to(BackConn::State::kBusy);  // take() has removed it from the idle ones
    close(*connection);
    connection = idle_.take(worker_.loop.polls());
  }
  if (connection != nullptr) busy_.push_back(*connection);
  return connection;
}

BackConn* TargetPool::connect(Duration timeout, BackUser& user) {
  auto* connection = new BackConn(worker_, *this);
  busy_.push_back(*connection);
  ++open_;
  connection->connect(spec_.wire, timeout, user);
  return connection;
}

void TargetPool::release(BackConn& connection, bool reusable) {
  const bool leads_to_target = connection.wire() == spec_.wire;  // not when the target moved meanwhile
  if (PoolRules::on_return(reusable && leads_to_target, draining_, idle_.size(), settings_) != PoolVerdict::kKeep) {
    close(connection);
    return;
  }
  static_cast<ListLink<BusyTag>&>(connection).unlink();
  connection.to(BackConn::State::kIdle);
  idle_.put(connection, worker_.loop.now(), worker_.loop.polls());
}

void TargetPool::close(BackConn& connection) {
  if (connection.state() == BackConn::State::kIdle) idle_.remove(connection);
  static_cast<ListLink<BusyTag>&>(connection).unlink();
  connection.to(BackConn::State::kClosed);
  connection.user_ = nullptr;
  if (connection.stream_) connection.stream_->close();
  --open_;
  worker_.loop.destroy_later(std::unique_ptr<Deferred>(&connection));
}

void TargetPool::close_idle() {
  while (BackConn* connection = idle_.oldest()) close(*connection);
}

void TargetPool::close_expired(Time now) {
  while (BackConn* connection = idle_.oldest()) {
    if (!PoolRules::expired(connection->idle_since, now, settings_)) return;
    close(*connection);
  }
}

void TargetPool::note_first_response(std::optional<std::string_view> keep_alive) {
  if (keep_alive_.on_first_response(keep_alive, settings_.idle_timeout)) warn();
}

void TargetPool::note_idle_close(Duration idle) {
  if (keep_alive_.on_idle_close(idle, worker_.loop.now(), settings_.idle_timeout)) warn();
}

void TargetPool::warn() const {
  if (worker_.notices == nullptr) return;
  worker_.notices->write(worker_.loop.now(), spec_.id, keep_alive_.warning(text_, settings_.idle_timeout));
}

void TargetPool::set_draining() {
  draining_ = true;
  close_idle();
}

void TargetPool::take_over(const TargetSpec& spec) {
  if (spec.wire != spec_.wire) close_idle();
  if (spec != spec_) text_ = format_address(spec.address);
  spec_ = spec;
}

std::uint64_t TargetPool::end_exchanges() {
  std::uint64_t ended = 0;
  while (BackConn* connection = busy_.front()) {
    BackUser* user = connection->user();
    if (user == nullptr) {
      close(*connection);
      continue;
    }
    ++ended;
    user->on_drain_ended();  // releases the connection, which leaves the list
    RR_CHECK(busy_.front() != connection, "an exchange kept a connection beyond its end");
  }
  return ended;
}

void BackPool::follow(const std::vector<TargetStatus>& status) {
  for (const TargetStatus& one : status) {
    TargetPool* pool = find(one.target);
    if (pool == nullptr) {
      // Ids ascend in the order of registration, and the status is in that order.
      pools_.push_back(std::make_unique<TargetPool>(worker_, one.target, one.spec, settings_));
      pool = pools_.back().get();
    }
    pool->take_over(one.spec);
    const bool drains = one.health.state == TargetState::kDraining && !one.heard_of_late;
    if (drains && !pool->draining()) pool->set_draining();
  }
}

TargetPool* BackPool::find(TargetId target) {
  const auto place = std::lower_bound(pools_.begin(), pools_.end(), target,
                                      [](const auto& pool, TargetId id) { return pool->target() < id; });
  return place == pools_.end() || (*place)->target() != target ? nullptr : place->get();
}

TargetPool& BackPool::pool(TargetId target) {
  TargetPool* pool = find(target);
  RR_CHECK(pool != nullptr, "a target without a pool");
  return *pool;
}

std::uint64_t BackPool::forget(TargetId target) {
  TargetPool* pool = find(target);
  if (pool == nullptr) return 0;
  const std::uint64_t cut = pool->end_exchanges();
  forgotten_ += pool->counters;
  std::erase_if(pools_, [&](const auto& one) { return one.get() == pool; });
  return cut;
}

void BackPool::close_expired(Time now) {
  for (const auto& pool : pools_) pool->close_expired(now);
}

TargetCounters BackPool::counters() const {
  TargetCounters sum = forgotten_;
  for (const auto& pool : pools_) sum += pool->counters;
  return sum;
}

std::size_t BackPool::open() const {
  std::size_t sum = 0;
  for (const auto& pool : pools_) sum += pool->open();
  return sum;
}

bool BackPool::unused() const {
  return std::all_of(pools_.begin(), pools_.end(), [](const auto& pool) { return pool->unused(); });
}

}  // namespace rr
