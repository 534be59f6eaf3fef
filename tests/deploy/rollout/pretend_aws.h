#pragma once
// An AWS for tests: a group, its launch template, refreshes, two parameters, and a load balancer that answers. It keeps
// the rules that a rollout relies on (one refresh at a time, a version is the group's only after success,
// RollbackInstance- Refresh only while one runs) in virtual time, and does harm where a test says so.
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deploy/rollout/rollout.h"

namespace rr::deploy {

/// How the instances of an image behave.
struct ImageBehaviour {
  std::string commit;
  int status = 200;
  bool crashes = false;  // never becomes healthy
  bool slow = false;     // the probe gives up
};

class PretendAws {
 public:
  explicit PretendAws(Time now);

  /// The effect of a command and its answer. `interfere` may answer in its place.
  Event perform(const Command& command, Time now);
  /// The same without `interfere`, which calls it where the effect happens and the answer gets lost.
  Event carry_out(const Command& command);
  /// What time does: launches, warm-up, terminations, the end of a refresh.
  void pass(Time now);
  /// One request through the load balancer.
  Answer ask();

  // -- what a test sets
  std::map<std::string, ImageBehaviour> images;  // by AMI id
  std::function<std::optional<Event>(const Command&, int number)> interfere;
  bool refreshes_known = true;            // false: an endpoint like moto's server
  bool versions_jump = false;             // instances take the group's new version, as with moto's server
  bool wrong_victims = false;             // halving ends the new ones
  std::optional<Time> cancels_at;         // a third party does
  std::string full_zone;                  // in which nothing can be launched
  std::optional<Duration> alarm_in_bake;  // after the beginning of the bake time
  Duration launch = std::chrono::seconds(20);
  Duration gives_up = std::chrono::minutes(1);  // a refresh whose new instances do not become healthy; an hour at AWS
  int unhealthy = 0;                            // targets that are said to be unhealthy
  bool holder_gone = true;

  // -- what a test looks at
  Group group;
  std::vector<Refresh> refreshes;  // newest first
  std::vector<TemplateVersion> versions;
  std::vector<Alarm> alarms;
  std::optional<Job> lock;
  Time lock_written;
  std::optional<Record> record;
  std::vector<std::string> calls;  // actions that change something
  int count = 0;                   // calls of all kinds

  void add_version(long number, const std::string& image, const std::string& description = "");
  std::string image_of(const std::string& version) const;
  std::set<std::string> versions_in_service() const;
  bool refresh_active() const { return !refreshes.empty() && is_active(refreshes.front().status); }

 private:
  struct Born {
    Time at;
    std::string version;  // really running, whatever DescribeAutoScalingGroups says
  };
  Instance& launch_instance(const std::string& version, Time now);
  void end_instance(const std::string& id);
  std::string emptiest_zone() const;
  bool healthy(const Instance& instance) const;
  void pass_refresh(Time now);
  void replace(const std::string& version, Time now);
  void pass_capacity(Time now);
  Event change(const Command& command, Time now);
  Event start(const StartRefresh& start, Time now);

  int next_instance_ = 1;
  int next_refresh_ = 1;
  std::size_t turn_ = 0;
  std::map<std::string, Born> born_;
  StartRefresh preferences_;
  std::optional<Time> baking_since_;
  Time refresh_began_;  // or turned: what its patience counts from
  Time started_;
  Time now_;
};

}  // namespace rr::deploy
