#include "lb/proxy/worker.h"

#include "lb/proxy/exchange.h"
#include "lb/proxy/front_conn.h"

namespace rr {
namespace {
constexpr std::size_t kMaximumFree = 1024;
}

Worker::Worker(Loop& the_loop, Rng rng) : loop(the_loop), random(rng), alive_(std::make_shared<bool>(true)) {
  front_out.reserve(64 * 1024);
  back_out.reserve(96 * 1024);
}

Worker::~Worker() { *alive_ = false; }

std::unique_ptr<Exchange> Worker::new_exchange() {
  if (free_.empty()) return std::make_unique<Exchange>(*this);
  std::unique_ptr<Exchange> exchange = std::move(free_.back());
  free_.pop_back();
  return exchange;
}

void Worker::recycle(std::unique_ptr<Exchange> exchange) {
  if (free_.size() < kMaximumFree) free_.push_back(std::move(exchange));
}

RequestParser Worker::new_parser() {
  if (free_parsers_.empty()) return RequestParser(kAlbRequestLimits, Reading::kTolerant);
  RequestParser parser = std::move(free_parsers_.back());
  free_parsers_.pop_back();
  return parser;
}

void Worker::recycle(RequestParser parser) {
  if (free_parsers_.size() < kMaximumFree) free_parsers_.push_back(std::move(parser));
}

void Worker::run_later(FrontConn& connection) {
  if (static_cast<ListLink<ReadyTag>&>(connection).linked()) return;
  ready_.push_back(connection);
  if (posted_) return;
  posted_ = true;
  loop.post([this, alive = alive_] {
    if (*alive) run_ready();
  });
}

void Worker::run_ready() {
  posted_ = false;
  // Those that become ready meanwhile wait for the next pass: one client cannot keep the loop to itself.
  FrontConn* last = ready_.back();
  while (FrontConn* connection = ready_.front()) {
    static_cast<ListLink<ReadyTag>&>(*connection).unlink();
    const bool was_last = connection == last;
    connection->go_on();
    if (was_last) break;
  }
}

}  // namespace rr
