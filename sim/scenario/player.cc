#include "sim/scenario/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/scenario/incident.h"
#include "sim/scenario/partial_order.h"

namespace rr::sim {
namespace {

bool is_wait(const StepAction& action) {
  return std::holds_alternative<WaitSettled>(action) || std::holds_alternative<WaitInService>(action) ||
         std::holds_alternative<WaitRefreshed>(action) || std::holds_alternative<WaitFor>(action);
}

Duration divided(Duration aws, const RegionState& region) {
  return Duration(std::llround(static_cast<double>(aws.count()) / region.settings.speed));
}

int in_service(const RegionState& region, const std::optional<ZoneName>& zone) {
  return static_cast<int>(std::count_if(region.instances.begin(), region.instances.end(), [&](const auto& entry) {
    const Instance& one = entry.second;
    if (zone && one.zone != *zone) return false;
    const auto health = region.target_health.find(entry.first);
    return one.lifecycle == LifecycleState::kInService && health != region.target_health.end() &&
           health->second.health.state == TargetState::kHealthy;
  }));
}

bool refresh_is_under_way(const RegionState& region) {
  return std::any_of(region.groups.begin(), region.groups.end(),
                     [](const auto& entry) { return entry.second.active_refresh() != nullptr; });
}

}  // namespace

Player::Player(const Scenario& scenario, Stage& stage)
    : scenario_(scenario), stage_(stage), began_(stage.now()), step_began_(began_) {}

bool Player::go_on() {
  while (!failure_ && done_.size() < scenario_.steps.size()) {
    const Step& step = scenario_.steps[done_.size()];
    const auto fail = [&](const std::string& why) {
      failure_ = Error{fmt::format("{}:{}: {}: {}", scenario_.file, step.line, step.said, why)};
    };
    if (!is_wait(step.action)) {
      if (const std::optional<Error> refused = act(step.action)) {
        fail(refused->message);
        break;
      }
    } else if (!holds(step.action)) {
      if (stage_.now() < limit()) return false;
      fail(fmt::format("was not so within {}", format_duration(limit() - step_began_)));
      break;
    }
    step_began_ = stage_.now();
    const double aws = static_cast<double>((step_began_ - began_).count()) * stage_.region().settings.speed;
    done_.push_back({step.said, Duration(std::llround(aws))});
  }
  return true;
}

Time Player::limit() const {
  const Duration least = stage_.region().settings.speed == 1 ? Duration{} : kLeastPatience;
  return step_began_ + std::max(divided(kPatience, stage_.region()), least);
}

std::optional<Time> Player::look_at() const {
  if (failure_ || done_.size() == scenario_.steps.size()) return std::nullopt;
  const auto* span = std::get_if<WaitFor>(&scenario_.steps[done_.size()].action);
  return span == nullptr ? limit() : step_began_ + divided(span->time, stage_.region());
}

bool Player::holds(const StepAction& wait) const {
  const RegionState& region = stage_.region();
  if (std::holds_alternative<WaitSettled>(wait)) return settled(region);
  if (std::holds_alternative<WaitRefreshed>(wait)) return !refresh_is_under_way(region);
  if (const auto* some = std::get_if<WaitInService>(&wait)) return in_service(region, some->zone) == some->count;
  return stage_.now() >= *look_at();
}

std::optional<Error> Player::act(const StepAction& action) {
  Status done = Ok{};
  if (const auto* fault = std::get_if<CauseFault>(&action)) {
    const Result<std::string> target = target_of(fault->target);
    if (!target) return target.error();
    done = stage_.fault({fault->kind, *target, fault->amount});
  } else if (const auto* heal = std::get_if<HealTarget>(&action)) {
    const Result<std::string> target = target_of(heal->target);
    if (!target) return target.error();
    done = stage_.heal(*target);
  } else if (const auto* scale = std::get_if<ScaleTo>(&action)) {
    done = stage_.scale(scale->capacity);
  } else if (const auto* refresh = std::get_if<RefreshTo>(&action)) {
    done = stage_.refresh(refresh->commit);
  }
  if (!done) return done.error();
  return std::nullopt;
}

/// A role's instance; other names stay as they are.
Result<std::string> Player::target_of(const std::string& text) const {
  if (text.find('#') == std::string::npos) return text;
  for (const auto& [id, role] : instance_roles(stage_.journal())) {
    if (role == text) return id;
  }
  return Error{fmt::format("{}: no such instance has been in service", text)};
}

}  // namespace rr::sim
