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
    Law{"choices", "The best of d random targets (supermarket model)", "E[T] = sum of lambda^((d^i - d)/(d - 1))",
        measure_choices},
    Law{"ordering", "Who waits least", "M/M/n <= least outstanding <= best of 3 <= best of 2 <= round robin <= random",
        measure_ordering},
    Law{"attraction", "Targets that fail fast, or hang", "share = (1/t_f) / (1/t_f + (N-1)/t_h)", measure_attractions},
    Law{"little", "Little's law", "L = lambda W", measure_little},
    Law{"detection", "How long a failure stays unseen", "(U-1) I to U I (+ time-out), the last of k nodes I k/(k+1)",
        measure_detection},
    Law{"errors", "What it costs meanwhile", "errors = rate x share of dead targets x detection", measure_errors},
    Law{"zone-loss", "What the loss of a zone leaves", "load N/(N-1), the queue grows by lambda - c mu",
        measure_zone_loss},
    Law{"replacement", "How long a replacement takes", "detection + report + sweep + launch + boot and first check",
        measure_replacement},
    Law{"refresh", "How long an instance refresh takes", "ceil(N/b) (launch + warm-up)", measure_refresh},
    Law{"keep-alive", "The race of keep-alive", "P(502) = e^(-r K) (1 - e^(-r delta)), 0 when K is the longer one",
        measure_keep_alive_race},
    Law{"retries", "Retries", "success 1 - p^(R+1), attempts (1 - p^(R+1)) / (1 - p)", measure_retries},
    Law{"metastable", "What a stall leaves behind", "recovers iff lambda (1 + R) < mu", measure_metastable},
    Law{"omission", "Coordinated omission", "who waits for an answer before asking again misses the stall",
        measure_coordinated_omission},
};

}  // namespace

std::span<const Law> laws() { return kLaws; }

}  // namespace rr::sim
