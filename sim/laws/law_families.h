#pragma once
// What the table of laws is made of; private to this folder but for what tests look at.
#include <cstdint>
#include <vector>

#include "sim/laws/law.h"
#include "sim/laws/law_tier.h"

namespace rr::sim {

/// A Poisson stream of `requests` that loads each worker by `load`, with a mean service of 10 ms; the first tenth is
/// not measured. What the clients have seen when the last one has its answer.
ClientTally run_stream(LawTierSettings settings, double load, std::uint64_t requests, std::uint64_t seed,
                       const Chooser& chooser);

std::vector<LawRow> measure_mm1(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_mmc(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_mmck(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_mg1(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_round_robin(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_choices(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_ordering(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_attractions(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_detection(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_errors(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_zone_loss(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_replacement(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_refresh(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_keep_alive_race(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_retries(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_metastable(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_coordinated_omission(Effort effort, std::uint64_t seed);
std::vector<LawRow> measure_little(Effort effort, std::uint64_t seed);

}  // namespace rr::sim
