#pragma once
// What the demo plays on: a tier of its own that is looked at all the time, and a terminal that says what happens
// there.
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lb/net/http_client.h"
#include "lb/net/loop.h"
#include "lb/net/signal_watcher.h"
#include "lb/net/timer.h"
#include "sim/console/screen.h"
#include "sim/scenario/demo.h"
#include "sim/scenario/demo_news.h"
#include "sim/scenario/demo_tier.h"

namespace rr::sim {

class DemoStage {
 public:
  /// Why it is over before its end.
  enum class Ended { kNo, kInterrupted, kTierGone };
  static constexpr const char* kFirstCommit = "814d1293e6b73a8810435611c49a52a6033c3545";
  static constexpr int kFirstBuild = 28;

  explicit DemoStage(const DemoOptions& options);
  ~DemoStage();

  // The tier.

  /// Starts it and waits until it stands. False: it does not, which has been said unless it was interrupted.
  bool start_tier();
  /// Waits until its processes have ended; a signal in the meantime makes it quicker.
  void stop_tier();
  /// It runs on when this ends. False: it does not run any more.
  bool leave_tier();
  /// What it last answered at /status.
  const nlohmann::json& status() const { return *status_; }
  /// The last of status()'s incidents; null: there was none.
  const nlohmann::json* incident() const;
  const StateLayout& layout() const { return tier_->layout(); }
  Address front() const { return front_; }
  /// "a" for a host of eu-west-1a; "?" for one that is not known.
  std::string zone_letter(const std::string& host) const;
  /// Asks the tier to do something. False: it was refused, which has been said, or nobody answered.
  bool command(const std::string& target, const nlohmann::json& body);
  void say_last_output();

  // Waiting.

  Loop& loop() { return loop_; }
  Time now() const { return loop_.precise_now(); }
  Ended ended() const { return ended_; }
  bool goes_on() const { return ended_ == Ended::kNo; }
  /// Runs the loop until something holds. False: interrupted, the tier has gone, or it took too long.
  bool wait(const std::function<bool()>& met, Duration most);
  void pause(Duration span);
  /// Only between acts, and only with --step. A closed or missing input goes on at once. False: not goes_on().
  bool wait_for_key();
  /// Is called ten times a second while something is waited for.
  void on_turn(std::function<void()> turn) { turn_ = std::move(turn); }

  // The screen.

  Screen& screen() { return screen_; }
  const Palette& ink() const { return ink_; }
  void title(int number, const std::string& name, const std::string& what);
  void say(const std::string& text);
  void say_command(const std::string& text);
  /// With the time since count_from().
  void happened(const std::string& text, Ink ink = Ink::kPlain);
  void count_from(Time mark) { mark_ = mark; }
  /// Whether changes of the tier are told as they are seen.
  void narrate(bool on) { narrate_ = on; }

 private:
  void look();
  void take_status(const nlohmann::json& status);

  DemoOptions options_;
  Loop loop_;
  Screen screen_;
  const Palette& ink_;
  std::unique_ptr<DemoTier> tier_;
  std::optional<SignalWatcher> on_int_, on_term_, on_hup_;
  Timer look_timer_;
  Timer deadline_;
  Timer wake_;
  std::unique_ptr<HttpClient> looker_;
  std::unique_ptr<nlohmann::json> status_;  // never null
  DemoNews news_;
  bool narrate_ = false;
  Time mark_;  // what "+1.2 s" counts from
  Ended ended_ = Ended::kNo;
  int signals_ = 0;
  Address front_;
  std::function<void()> turn_;
};

}  // namespace rr::sim
