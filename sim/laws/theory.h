#pragma once
// Closed forms of queueing theory: what a simulation of load balancing must come to. Rates are per second, spans
// seconds.
#include <vector>

namespace rr::sim::theory {

/// M/M/1: Poisson arrivals at rate lambda, one server of rate mu.
double mm1_sojourn(double lambda, double mu);
/// Of an exponential sojourn with that mean: the span that `share` of all do not exceed.
double exponential_percentile(double mean, double share);

/// M/M/c: the probability that a request has to wait (Erlang C), and the mean sojourn.
double erlang_c(double lambda, double mu, int servers);
double mmc_sojourn(double lambda, double mu, int servers);

/// M/M/c/K: at most `room` requests are there at a time, others are refused.
struct Bounded {
  double refused;  // share of the arrivals
  double sojourn;  // mean, of those that are not
};
Bounded mmck(double lambda, double mu, int servers, int room);

/// M/G/1 (Pollaczek, Khinchine): the mean wait before service.
double mg1_wait(double lambda, double mean_service, double squared_cv);

/// Round robin over n equal servers gives each of them Erlang-n arrivals: E_n/M/1, `lambda` per server. Its sojourn is
/// exponential.
double round_robin_sojourn(int servers, double lambda, double mu);

/// The best of d servers drawn at random, of very many (the supermarket model), with mean service 1.
double choices_sojourn(double lambda, int choices);

}  // namespace rr::sim::theory
