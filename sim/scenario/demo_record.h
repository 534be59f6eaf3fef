#pragma once
// The load's requests by the phase of the demo that they fell in, and what became of those that failed while a zone was
// down.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/console/palette.h"
#include "sim/scenario/attribution.h"
#include "sim/scenario/demo_report.h"

namespace rr::sim {

class DemoRecord {
 public:
  void begin_phase(const std::string& name, Time now);
  /// Likewise, and a zone is down in it.
  void begin_zone_phase(const std::string& name, Time now);
  /// `zone`: the letter of the zone that answered.
  void add(const LoadSample& sample, char zone);
  const std::vector<LoadSample>& samples() const { return samples_; }

  /// "answered 120   failed 2   zones abab" of the last requests.
  std::string line(const Palette& ink) const;
  std::uint64_t answered() const { return answered_; }
  std::uint64_t failed() const { return failed_; }

  /// Every phase with its statistics, behind those that are there; a failure that no zone excuses is named.
  void tell(DemoFacts& facts) const;
  /// Judges each failure of the zone's phase. `logged`: by trace, what the live nodes' logs say.
  void judge(const ZoneFailure& failure, const std::map<std::string, NodeRecord>& logged, DemoFacts& facts) const;

 private:
  struct Phase {
    std::string name;
    Time began;
  };
  std::size_t phase_of(const LoadSample& sample) const;

  std::vector<Phase> phases_;
  std::vector<LoadSample> samples_;
  std::optional<std::size_t> zone_phase_;
  std::deque<char> strip_;
  std::uint64_t answered_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace rr::sim
