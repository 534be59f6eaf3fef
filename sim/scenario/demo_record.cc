#include "sim/scenario/demo_record.h"

#include <fmt/format.h>

#include <algorithm>

namespace rr::sim {

void DemoRecord::begin_phase(const std::string& name, Time now) { phases_.push_back({name, now}); }

void DemoRecord::begin_zone_phase(const std::string& name, Time now) {
  begin_phase(name, now);
  zone_phase_ = phases_.size() - 1;
}

void DemoRecord::add(const LoadSample& sample, char zone) {
  samples_.push_back(sample);
  const bool bad = sim::failed(sample.cause);
  (bad ? failed_ : answered_) += 1;
  strip_.push_back(bad ? 'x' : zone);
  if (strip_.size() > 30) strip_.pop_front();
}

std::string DemoRecord::line(const Palette& ink) const {
  std::string strip;
  for (const char c : strip_) {
    strip += ink.paint(c == 'x' ? Ink::kRed : c == 'a' ? Ink::kCyan : Ink::kMagenta, std::string(1, c));
  }
  return fmt::format("answered {:<5} failed {:<3} zones {}", answered_,
                     failed_ == 0 ? "0" : ink.paint(Ink::kRed, fmt::format("{:<3}", failed_)), strip);
}

// By when it was due. What the zone's death took along counts there, though it had been sent just before.
std::size_t DemoRecord::phase_of(const LoadSample& sample) const {
  std::size_t phase = 0;
  while (phase + 1 < phases_.size() && phases_[phase + 1].began <= sample.scheduled) ++phase;
  const bool taken_along = zone_phase_ && sim::failed(sample.cause) && phase + 1 == *zone_phase_ &&
                           sample.ended >= phases_[*zone_phase_].began;
  return taken_along ? *zone_phase_ : phase;
}

void DemoRecord::tell(DemoFacts& facts) const {
  const std::size_t first = facts.phases.size();
  for (const Phase& phase : phases_) facts.phases.push_back({phase.name, {}});
  for (const LoadSample& sample : samples_) {
    const std::size_t phase = phase_of(sample);
    facts.phases[first + phase].statistics.add(sample);
    if (sim::failed(sample.cause) && phase != zone_phase_) {
      facts.other_failures.push_back(fmt::format("{} ({})", to_string(sample.cause), phases_[phase].name));
    }
  }
}

void DemoRecord::judge(const ZoneFailure& failure, const std::map<std::string, NodeRecord>& logged,
                       DemoFacts& facts) const {
  Time last_answer = failure.began;
  for (const LoadSample& sample : samples_) {
    if (phase_of(sample) != zone_phase_) continue;
    if (!sim::failed(sample.cause)) {
      facts.longest_silence = std::max(facts.longest_silence, sample.ended - last_answer);
      last_answer = std::max(last_answer, sample.ended);
      continue;
    }
    const auto record = logged.find(sample.trace);
    const Verdict verdict =
        attribute(sample, failure, record == logged.end() ? std::nullopt : std::optional(record->second));
    ++facts.zone_failures[static_cast<std::size_t>(verdict.kind)];
    if (verdict.kind == FailureClass::kUnexplained) facts.unexplained.push_back(verdict.evidence);
  }
}

}  // namespace rr::sim
