#pragma once
// What systemd, or whoever else listens on NOTIFY_SOCKET, is told: sd_notify(3), in the few lines that it takes.
#include <functional>
#include <string>
#include <string_view>

#include "lb/base/time.h"
#include "lb/net/loop.h"
#include "lb/net/timer.h"

namespace rr::webapp {

/// Told when the program serves (READY=1), that its loop turns (WATCHDOG=1, twice in each watchdog time) and that it
/// stops (STOPPING=1). Without a socket every call does nothing. A message that cannot be sent is no reason to stop
/// serving: the first such failure is handed to `on_trouble`, the others are not.
class Supervisor {
 public:
  /// `socket` and `watchdog` as in Settings.
  Supervisor(Loop& loop, const std::string& socket, Duration watchdog,
             std::function<void(std::string_view)> on_trouble);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Call when connections are accepted, not before: systemd then starts what waits for this program. The watchdog's
  /// messages begin here.
  void ready(std::string_view status);
  /// The watchdog's messages go on: a program that hangs while it drains is to be ended too.
  void stopping(std::string_view status);

 private:
  void say(std::string_view message);
  void beat();

  std::string socket_;
  Duration watchdog_;
  std::function<void(std::string_view)> on_trouble_;
  int descriptor_ = -1;
  bool in_trouble_ = false;
  Timer beat_;
};

}  // namespace rr::webapp
