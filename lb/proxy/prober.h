#pragma once
// Performs health checks: a GET over a fresh connection each, as the ALB does.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
#include <cstdint>
#include <memory>
#include <vector>

#include "lb/net/http_client.h"
#include "lb/net/loop.h"
#include "lb/policy/target_group.h"

namespace rr {

/// When and from where a check was made.
struct ProbeCourse {
  Time started{};
  Duration latency{};
  Address from{};
  Address asked{};  // the target's logical one
};

/// Who wants to know what a health check found.
class ProbeListener {
 public:
  virtual void on_probe(const ProbeDue& probe, const ProbeOutcome& outcome, const ProbeCourse& course) = 0;
  /// It could not be made for lack of a descriptor or port here, which says nothing about the target.
  virtual void on_probe_not_made(const ProbeDue& probe, const ProbeCourse& course) = 0;

 protected:
  ~ProbeListener() = default;
};

class Prober {
 public:
  Prober(Loop& loop, ProbeListener& listener);
  ~Prober();

  /// Starts one check. Several of one target may be in progress at a time.
  void probe(const ProbeDue& due, const ProbeAddresses& addresses, const HealthCheck& check);
  std::size_t in_progress() const { return running_.size(); }

 private:
  struct Running;
  void done(Running* running, const Result<ClientResponse, ClientFailure>& result);

  Loop& loop_;
  ProbeListener& listener_;
  std::vector<std::unique_ptr<Running>> running_;
};

/// What an attempt means for a target's health.
ProbeOutcome outcome_of(const Result<ClientResponse, ClientFailure>& result);

/// The request of a health check, apart from what every HTTP/1.1 request has. The port is left out of Host when it is
/// the default one.
ClientRequest probe_request(const Address& logical, const HealthCheck& check);

}  // namespace rr
