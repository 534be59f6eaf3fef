#pragma once
// Faults that a caller asks the program to show, so that somebody can watch what a load balancer makes of them.
#include <string>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "webapp/app/query.h"

namespace rr::webapp {

/// Which are in force. None spoils /fault itself, so that each can be undone.
struct Faults {
  Duration slow{};         // every other answer comes so much later
  int error_percent = 0;   // so many in a hundred answers are errors, /healthz excepted
  int error_status = 500;  // what such an error says
  bool hang = false;       // every other request is read and not answered, /healthz too
  bool unhealthy = false;  // /healthz says 503
  bool operator==(const Faults&) const = default;
};

/// The faults after "slow=500ms&error=50&status=503&hang=on&unhealthy=on"; what is not named stays; "all=off" undoes
/// all and whatever else is named comes on top of that, in order.
Result<Faults> changed_faults(Faults now, const Query& query);

/// As JSON, for the answer.
std::string faults_document(const Faults& faults);

}  // namespace rr::webapp
