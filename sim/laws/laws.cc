#include <array>

#include "sim/laws/law.h"
#include "sim/laws/law_families.h"

namespace rr::sim {
namespace {

constexpr std::array kLaws{
    Law{"mm1", "M/M/1: weighted random over equal servers", "W = 1/(mu - lambda), p99 = 4.605 W", measure_mm1},
    Law{"mmc", "M/M/c: one server with c workers", "W = 1/mu + C/(c mu - lambda), C by Erlang", measure_mmc},
    Law{"mmck", "M/M/c/K: a bounded queue", "P_K from p_n ~ a^n/n!", measure_mmck},
    Law{"mg1", "M/G/1: any service time", "Wq = rho E[S] (1 + cv^2) / (2 (1 - rho))", measure_mg1},
    Law{"round-robin", "Round robin: E_n/M/1 at each server", "W = 1/(mu (1 - sigma))", measure_round_robin},
};

}  // namespace

std::span<const Law> laws() { return kLaws; }

}  // namespace rr::sim
