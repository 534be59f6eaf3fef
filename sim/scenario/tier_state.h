#pragma once
// What a tier knows; private to the files tier*.cc.
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lb/net/http_client.h"
#include "lb/net/timer.h"
#include "sim/scenario/driver.h"
#include "sim/scenario/load.h"
#include "sim/scenario/tier.h"
#include "sim/store/region_log.h"
#include "sim/telemetry/metric_reduction.h"

namespace rr::sim {

/// "a, b", "none" when there are none.
inline std::string joined_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& one : names) out += (out.empty() ? "" : ", ") + one;
  return out.empty() ? "none" : out;
}

struct Tier::State {
  State(Loop& on, TierOptions wanted, TierEvents to)
      : loop(on),
        options(std::move(wanted)),
        events(std::move(to)),
        ready_timer(on, [this] { check_ready(); }),
        metric_timer(on, [this] { report_metrics(); }) {}

  const Tier* tier = nullptr;  // whose state it is
  Loop& loop;
  TierOptions options;
  TierEvents events;
  Journal journal;
  std::ofstream journal_file;
  std::vector<JournalLine> shown;  // the journal, and what was done to the world, in order
  std::uint64_t forgotten = 0;     // lines before shown.front()
  std::unique_ptr<ProcessWorld> world;
  std::unique_ptr<RegionLog> log;
  std::unique_ptr<Region> region;
  std::unique_ptr<Driver> driver;
  std::unique_ptr<OpenLoopLoad> load;
  std::vector<Incident> incidents;
  std::optional<Time> release_started;  // the release that most_in_service is about
  int most_in_service = 0;
  Time started;
  bool ready = false;
  bool stopping = false;
  Timer ready_timer;
  Timer metric_timer;
  MetricReduction reduction;
  std::optional<Time> first_answer;
  std::unique_ptr<HttpClient> ready_client;

  // What was done to the world: tier_faults.cc.
  /// Goes on with what was in force when the tier was killed, and from now on writes down what is.
  void take_up_faults();
  void take_faults(const std::vector<FaultStatus>& ended);
  Outcome apply(const Fault& fault, std::vector<std::string> said);
  Result<FaultTarget, Refusal> find_target(const std::string& text) const;
  Result<FaultTarget, Refusal> find_link(const std::string& text) const;
  std::string heal_command(const FaultTarget& target) const;

  Status open_world();
  Status open_region();
  Status make_first_image_and_group();
  Result<Image> first_image();
  void note(std::string_view entity, std::string_view event);
  void take_line(const JournalLine& line);
  void take_output(const ProcessLine& line);
  void take_diagnosis(const std::string& name, const std::string& sentence);
  void after_step(Time now);
  void follow_release();
  bool hit_processes_gone(const Incident& incident) const;
  void check_ready();
  void ask_front();
  void report_metrics();
  void start_load(double rate);
  Address reachable_front() const;
  Result<ImageId, Refusal> find_image(const std::string& text) const;
  std::string command(const std::string& rest) const { return "rr-sim " + rest + state_flag(options.layout); }
};

}  // namespace rr::sim
