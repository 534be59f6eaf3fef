#pragma once
// A loop that runs until something holds, and a folder of the test's own. For tests with real processes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "lb/net/loop.h"
#include "lb/net/timer.h"
#include "sim/world/ground.h"

namespace rr::sim {

/// Slow builds (sanitizers, a busy machine) get more patience; nothing that is measured depends on it.
inline Duration patience(int seconds) {
  const char* slowness = std::getenv("RR_TEST_SLOWNESS");
  return std::chrono::seconds(seconds) * std::max(1, slowness == nullptr ? 1 : std::atoi(slowness));
}

/// Runs the loop until the condition holds. False: it did not within the time.
inline bool run_until(Loop& loop, const std::function<bool()>& condition, int seconds = 20) {
  const Time deadline = loop.precise_now() + patience(seconds);
  bool held = condition();
  Timer timer(loop, [&] {
    held = condition();
    if (held || loop.precise_now() > deadline) return loop.stop();
    timer.arm(kMillisecond * 5);
  });
  if (held) return true;
  timer.arm(Duration{});
  loop.run();
  return held;
}

/// Lets the loop run for a while, to see that something does not happen.
inline void run_for(Loop& loop, Duration span) {
  Timer timer(loop, [&] { loop.stop(); });
  timer.arm(span);
  loop.run();
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rr-world-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name = {}) const { return name.empty() ? path_ : path_ + "/" + name; }

 private:
  std::string path_;
};

/// Skips, with the reason, where the ground is not possible.
#define RR_NEED_GROUND(kind)                             \
  do {                                                   \
    const auto choice = choose_ground(kind);             \
    if (!choice) GTEST_SKIP() << choice.error().message; \
  } while (false)

inline std::string ground_name(const testing::TestParamInfo<GroundKind>& info) {
  return std::string(to_string(info.param));
}

}  // namespace rr::sim
