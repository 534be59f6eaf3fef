#include "sim/laws/theory.h"

#include <cmath>

namespace rr::sim::theory {

double mm1_sojourn(double lambda, double mu) { return 1 / (mu - lambda); }

double exponential_percentile(double mean, double share) { return -mean * std::log(1 - share); }

double erlang_c(double lambda, double mu, int servers) {
  const double offered = lambda / mu;
  double blocked = 1;  // Erlang B
  for (int k = 1; k <= servers; ++k) blocked = offered * blocked / (k + offered * blocked);
  const double load = offered / servers;
  return blocked / (1 - load * (1 - blocked));
}

double mmc_sojourn(double lambda, double mu, int servers) {
  return 1 / mu + erlang_c(lambda, mu, servers) / (servers * mu - lambda);
}

Bounded mmck(double lambda, double mu, int servers, int room) {
  const double offered = lambda / mu;
  double term = 1;  // p_n / p_0
  double sum = 1;
  double weighted = 0;
  for (int n = 1; n <= room; ++n) {
    term *= offered / (n <= servers ? n : servers);
    sum += term;
    weighted += n * term;
  }
  const double refused = term / sum;
  return {refused, weighted / sum / (lambda * (1 - refused))};
}

double mg1_wait(double lambda, double mean_service, double squared_cv) {
  const double load = lambda * mean_service;
  return load * mean_service * (1 + squared_cv) / (2 * (1 - load));
}

/// sigma is the root below 1 of sigma = (n lambda / (n lambda + mu (1 - sigma)))^n; the iteration converges to it.
double round_robin_sojourn(int servers, double lambda, double mu) {
  double sigma = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double next = std::pow(servers * lambda / (servers * lambda + mu * (1 - sigma)), servers);
    if (std::abs(next - sigma) < 1e-15) break;
    sigma = next;
  }
  return 1 / (mu * (1 - sigma));
}

double choices_sojourn(double lambda, int choices) {
  double sum = 0;
  double power = choices;
  for (int i = 1; i < 200; ++i) {
    const double exponent = choices == 1 ? i - 1 : (power - choices) / (choices - 1);
    const double term = std::pow(lambda, exponent);
    sum += term;
    if (term < 1e-15) break;
    power *= choices;
  }
  return choices == 1 ? 1 / (1 - lambda) : sum;
}

}  // namespace rr::sim::theory
