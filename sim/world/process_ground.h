#pragma once
// Both grounds: their processes are started by a keeper, which knows the difference.
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lb/net/fd_watcher.h"
#include "sim/world/ground.h"
#include "sim/world/keeper_link.h"

namespace rr::sim {

class ProcessGround final : public Ground {
 public:
  static Result<std::unique_ptr<Ground>> start(Loop& loop, GroundKind kind);
  ~ProcessGround() override;

  GroundKind kind() const override { return kind_; }
  std::string describe() const override;
  Status start_process(ProcessSpec spec, std::function<void(std::string_view)> on_output,
                       std::function<void(ProcessExit)> on_exit) override;
  void signal_process(const std::string& name, int signal_number, bool whole) override;
  int pid(const std::string& name) const override;
  Status set_link(const std::string& name, bool up) override;
  std::vector<std::string> enter_command(const std::string& name) const override;
  bool has_own_network() const override { return kind_ == GroundKind::kNamespaces; }
  Status open_door(const std::string& name, int listening, const Address& target) override;
  void on_lost(std::function<void()> sink) override { lost_ = std::move(sink); }

 private:
  struct Running;
  ProcessGround(Loop& loop, GroundKind kind, std::unique_ptr<KeeperLink> keeper);
  void take_output(const std::string& name);
  void take_end(const std::string& name, ProcessExit exit);
  void take_loss();

  Loop& loop_;
  GroundKind kind_;
  std::unique_ptr<KeeperLink> keeper_;
  std::map<std::string, std::shared_ptr<Running>> running_;
  std::function<void()> lost_;
};

}  // namespace rr::sim
