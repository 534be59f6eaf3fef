#pragma once
// What is looked at before anything is touched, and the choice of where a rollback goes.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "deploy/rollout/facts.h"
#include "deploy/rollout/job.h"
#include "deploy/rollout/plan.h"
#include "lb/base/result.h"

namespace rr::deploy {

/// All that was found out about the tier.
struct Facts {
  std::optional<Identity> identity;
  std::optional<Group> group;
  std::vector<Refresh> refreshes;  // newest first
  std::vector<TemplateVersion> versions;
  std::vector<Image> images;
  std::vector<std::string> architectures;  // of the instance type; empty: not known
  std::vector<Target> targets;
  std::vector<Alarm> alarms;
  std::vector<Activity> activities;
  std::optional<Record> record;
  Lock lock;
};

const Refresh* active_refresh(const Facts& facts);
const TemplateVersion* find_version(const Facts& facts, const std::string& number);
const TemplateVersion* latest_version(const Facts& facts);
const Image* find_image(const Facts& facts, const std::string& id);

/// Commit and build of the image that is to be released, by its tags; empty where they are missing.
std::pair<std::string, std::string> tagged_commit(const Plan& plan, const Facts& facts);

/// What is wrong with these credentials where the settings name an account (empty: any); nothing when they are right.
std::optional<std::string> account_problem(const std::string& wanted, const Identity& identity);

/// A number, as opposed to $Latest and $Default.
bool is_numbered(const std::string& version);

/// Everything that speaks against the release, a line each; empty: go. `answering` says whether the tier answered a
/// request through its load balancer.
std::vector<std::string> release_problems(const Plan& plan, const Facts& facts, const std::string& silence);
/// Of a rollback there are few: what does not exist cannot be gone to. Alarms, unhealthy targets, suspended processes
/// and a running release are no problem.
std::vector<std::string> rollback_problems(const Plan& plan, const Facts& facts);

/// As people tell commits apart.
std::string short_commit(const std::string& commit);

/// The description of the version that a job makes: "COMMIT build N (rr-deploy job ID)". By its mark a version is found
/// again whose creation was not heard of; by the commit it is known when no record and no image's tag tells.
std::string description_of(const Job& job);
std::string job_mark(const std::string& job);
/// Commit and build out of a description; empty where it is none of rr-deploy's.
std::pair<std::string, std::string> described_commit(const std::string& description);

/// What is known of a version: the record's words, else the image's tags, else the version's description.
Released describe_version(const Facts& facts, const std::string& number);

/// Where a rollback goes. An empty version: nowhere, because the last one already did it; `left` of the record says
/// from where. An error names what remains.
Result<Released> rollback_goal(const Plan& plan, const Facts& facts);

}  // namespace rr::deploy
