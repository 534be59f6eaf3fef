#pragma once
// The demo's own tier: an `rr-sim up` as a child process in a temporary state folder, ended with the demo.
#include <sys/types.h>
#include <memory>
#include <string>
#include <vector>

#include "lb/base/result.h"
#include "sim/scenario/state_folder.h"

namespace rr::sim {

class DemoTier {
 public:
  /// `outlive`: it may live on when this process ends. Its output goes to rr-sim.log in its state folder.
  static Result<std::unique_ptr<DemoTier>> start(const std::string& program, const std::vector<std::string>& flags,
                                                 bool outlive);
  /// Kills what still runs and removes the folder, unless release() was called.
  ~DemoTier();

  const StateLayout& layout() const { return layout_; }
  /// False once the process has ended; exit_status() then tells how.
  bool running();
  int exit_status() const { return exit_status_; }
  /// SIGTERM: once for an orderly stop, again for one at once.
  void ask_to_stop();
  /// Leaves it running.
  void release() { pid_ = -1; }
  std::vector<std::string> last_output(std::size_t lines) const;

 private:
  DemoTier(StateLayout layout, pid_t pid) : layout_(std::move(layout)), pid_(pid) {}
  StateLayout layout_;
  pid_t pid_;
  bool ended_ = false;
  int exit_status_ = 0;
};

}  // namespace rr::sim
