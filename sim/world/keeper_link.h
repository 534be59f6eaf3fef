#pragma once
// rr-sim's end of the socket to the keeper (sim/keeper/keeper.h).
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lb/base/result.h"
#include "lb/net/loop.h"
#include "sim/keeper/message.h"
#include "sim/world/ground.h"

namespace rr::sim {

/// Where rr-keeper lies: beside the running program.
std::string keeper_program();

class KeeperLink {
 public:
  /// Starts a keeper and waits until it stands (a few milliseconds).
  static Result<std::unique_ptr<KeeperLink>> start(Loop& loop, GroundKind kind);
  /// Closes the socket, which ends every process of the tier, and waits for the keeper's end.
  ~KeeperLink();

  /// Sends a request and waits for the answer, a few milliseconds. The error is one line: the keeper's own, or that
  /// there is no keeper any more.
  Result<KeeperReply> call(const KeeperRequest& request, const std::vector<int>& descriptors = {});
  void on_ended(std::function<void(const ProcessEnded&)> sink);
  /// The keeper died although nobody asked it to; the processes died with it.
  void on_lost(std::function<void()> sink);

 private:
  struct State;
  explicit KeeperLink(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rr::sim
