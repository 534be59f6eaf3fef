#include "lb/policy/pool_rules.h"

namespace rr {

std::string_view to_string(PoolVerdict verdict) {
  switch (verdict) {
    case PoolVerdict::kKeep:
      return "keep";
    case PoolVerdict::kDropUnclean:
      return "unclean";
    case PoolVerdict::kDropDraining:
      return "draining";
    case PoolVerdict::kDropSurplus:
      return "surplus";
  }
  return "";
}

PoolVerdict PoolRules::on_return(bool reusable, bool target_draining, std::size_t idle_now,
                                 const PoolSettings& settings) {
  if (!reusable) return PoolVerdict::kDropUnclean;
  if (target_draining) return PoolVerdict::kDropDraining;
  if (idle_now >= settings.maximum_idle) return PoolVerdict::kDropSurplus;
  return PoolVerdict::kKeep;
}

bool PoolRules::expired(Time idle_since, Time now, const PoolSettings& settings) {
  return now - idle_since >= settings.idle_timeout;
}

Duration PoolRules::network_delay(std::string_view target_zone, const PoolSettings& settings) {
  const bool known = !target_zone.empty() && !settings.zone.empty();
  return known && target_zone != settings.zone ? settings.network_delay_cross_zone : settings.network_delay_same_zone;
}

bool PoolRules::believed_open(Time closed_at, Duration network_delay, Time now) {
  return now - closed_at < network_delay;
}

}  // namespace rr
