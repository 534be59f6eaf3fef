#pragma once
// What the connections of one loop share. One loop, one thread: nothing here is locked.
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/base/intrusive_list.h"
#include "lb/base/journal.h"
#include "lb/base/rng.h"
#include "lb/http/request_parser.h"
#include "lb/net/loop.h"
#include "lb/proxy/health_check_observer.h"
#include "lb/proxy/log_file.h"
#include "lb/proxy/worker_news.h"

namespace rr {

class Exchange;
class FrontConn;
struct ReadyTag;

struct Worker {
  Worker(Loop& loop, Rng random);
  ~Worker();

  Loop& loop;
  Rng random;
  /// Heads are built here, once each, and written before the callback that built them returns: never two at a time.
  std::string front_out;
  std::string back_out;
  std::string own_fields;  // of a response's head, likewise
  std::optional<LogFile> access_log;
  std::optional<LogFile> connection_log;
  /// Of what is decided; none in a worker that follows another one, which decides the same.
  Journal* journal = nullptr;
  /// Of what only a worker with the connection sees.
  Journal* notices = nullptr;
  HealthCheckObserver* health_check_observer = nullptr;  // may be none
  /// False: another worker of the process makes them, and tells.
  bool makes_health_checks = true;
  // Either may be none.
  std::function<void(const HealthNews&)> on_health;
  std::function<void(DrainEnded)> on_drain_ended;

  /// To be called for each event of a connection.
  void count_event() {
    const std::uint64_t poll = loop.polls();
    events_of_poll_ = poll == counted_poll_ ? events_of_poll_ + 1 : 1;
    counted_poll_ = poll;
  }
  /// True when whatever is read now on a connection that was written to after `poll` had been waiting there before.
  bool waited_before(std::uint64_t poll) const { return poll == loop.polls() && events_of_poll_ < kSurelyOnePoll; }

  std::unique_ptr<Exchange> new_exchange();
  void recycle(std::unique_ptr<Exchange> exchange);
  /// For the time from a request's first byte to its last: a connection that waits for one has none, which is a third
  /// of what it would cost.
  RequestParser new_parser();
  void recycle(RequestParser parser);
  /// Lets a connection go on with bytes that it holds, after the current callback.
  void run_later(FrontConn& connection);

 private:
  void run_ready();

  /// libuv asks the kernel again without telling beyond 1,024 events; half of that leaves room for events not counted.
  static constexpr std::uint64_t kSurelyOnePoll = 512;

  std::uint64_t counted_poll_ = 0;
  std::uint64_t events_of_poll_ = 0;
  std::vector<std::unique_ptr<Exchange>> free_;
  std::vector<RequestParser> free_parsers_;
  IntrusiveList<FrontConn, ReadyTag> ready_;
  bool posted_ = false;
  std::shared_ptr<bool> alive_;
};

/// Bodies up to this size are copied behind the head and go out in the same write; larger ones are written from where
/// they were read.
constexpr std::size_t kCopyLimit = 4096;

}  // namespace rr
