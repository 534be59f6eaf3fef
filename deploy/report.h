#pragma once
// What a release or rollback leaves for machines: one JSON document, and JUnit for build services.
#include <string>
#include <vector>

#include "deploy/rollout/rollout.h"

namespace rr::deploy {

struct Report {
  std::string environment;
  std::string url;
  Time began;
  Time ended;
  Verdict verdict;
  std::vector<std::pair<Time, Note>> notes;
};

std::string report_json(const Report& report, const Rollout& rollout);
/// A test case a phase; the phase in which it turned is the failed one.
std::string report_junit(const Report& report, const Rollout& rollout);

}  // namespace rr::deploy
