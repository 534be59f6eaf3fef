#include "sim/cloud/double_release.h"

#include <fmt/format.h>

#include <algorithm>

namespace rr::sim {
namespace {

/// Questions through the front that may be open at a time.
constexpr int kMostFrontQuestions = 10;

bool commit_is_known(const std::string& commit) { return !commit.empty() && commit != "unknown"; }

/// Whether the answer speaks for the new image; `unproved` is set when only its success does.
bool speaks_for(const DoubleRelease& release, int status, const std::string& commit, bool& unproved) {
  if (status < 200 || status > 299) return false;
  if (commit_is_known(release.commit) && commit_is_known(commit)) return commit == release.commit;
  unproved = true;
  return true;
}

std::string describe_answer(int status, const std::string& commit) {
  if (status == 0) return "did not answer";
  if (status < 200 || status > 299) return fmt::format("answered with status {}", status);
  return fmt::format("answered commit {}", commit);
}

struct Count {
  int live = 0;
  int live_old = 0;
  int live_new = 0;
  int leaving_old = 0;
  const ReleaseMember* not_ready =
      nullptr;  // the first live one that is not in service, or new and not healthy or confirmed
  const ReleaseMember* first_old = nullptr;
};

bool ready(const DoubleRelease& release, const ReleaseMember& member) {
  if (!member.in_service) return false;
  return !member.is_new || (member.healthy && release.confirmed.contains(member.id));
}

Count count(const DoubleRelease& release, const ReleaseView& view) {
  Count total;
  for (const ReleaseMember& member : view.members) {
    if (!member.live) {
      if (!member.is_new) ++total.leaving_old;
      continue;
    }
    ++total.live;
    ++(member.is_new ? total.live_new : total.live_old);
    if (!member.is_new && total.first_old == nullptr) total.first_old = &member;
    if (!ready(release, member) && total.not_ready == nullptr) total.not_ready = &member;
  }
  return total;
}

std::string why_not_ready(const DoubleRelease& release, const Count& total) {
  if (total.not_ready == nullptr) return fmt::format("the group has {} new instances", total.live_new);
  const ReleaseMember& member = *total.not_ready;
  if (!release.last_wrong.empty()) return release.last_wrong;
  if (!member.in_service) return fmt::format("{} is not in service", member.id.value);
  if (!member.healthy) return fmt::format("{} is not healthy in its target group", member.id.value);
  return fmt::format("{} has not answered which commit it runs", member.id.value);
}

bool question_is_due(const DoubleRelease& release, Time now) {
  return release.next_question && *release.next_question <= now;
}

void ask_instances(const DoubleRelease& release, const ReleaseView& view, Time now, ReleaseStep& step) {
  if (!question_is_due(release, now)) return;
  for (const ReleaseMember& member : view.members) {
    const bool open = member.is_new && member.live && member.in_service && member.healthy &&
                      !release.confirmed.contains(member.id) && !release.asked.contains(member.id);
    if (open) step.ask.push_back(member.id);
  }
}

void fail(ReleaseStep& step, std::string outcome) {
  step.to = DoublePhase::kFailed;
  step.outcome = std::move(outcome);
}

ReleaseStep advance_doubling(const DoubleRelease& release, const ReleaseView& view, Time now) {
  ReleaseStep step;
  const Count total = count(release, view);
  const bool doubled = total.live == 2 * release.original_capacity && total.live_new >= release.original_capacity;
  if (doubled && total.not_ready == nullptr) {
    step.to = DoublePhase::kHalving;
    step.desired = release.original_capacity;
    return step;
  }
  if (now >= release.deadline) {
    step.roll_back = true;
    fail(step,
         fmt::format("the new instances were not ready in time: {}; the group is back at {} instances of version {}, "
                     "the old ones were not touched",
                     why_not_ready(release, total), release.original_capacity, release.previous_version));
    return step;
  }
  ask_instances(release, view, now, step);
  return step;
}

ReleaseStep advance_halving(const DoubleRelease& release, const ReleaseView& view, Time now) {
  ReleaseStep step;
  const Count total = count(release, view);
  const bool halved = total.live == release.original_capacity && total.leaving_old == 0 && total.not_ready == nullptr;
  if (halved && total.live_old == 0) {
    step.to = DoublePhase::kVerifying;
    return step;
  }
  if (now >= release.deadline) {
    fail(step,
         fmt::format("the old instances had not gone in time: {} live and {} still ending, besides {} of version {}",
                     total.live_old, total.leaving_old, total.live_new, release.template_version));
    return step;
  }
  if (halved) step.end = total.first_old->id;  // kept by the zone balance: the termination policy never saw it
  ask_instances(release, view, now, step);
  return step;
}

bool every_host_answered(const DoubleRelease& release, const ReleaseView& view) {
  return std::all_of(view.members.begin(), view.members.end(), [&](const ReleaseMember& member) {
    return !member.live || release.front_hosts.contains(member.host_name);
  });
}

std::string released_sentence(const DoubleRelease& release) {
  std::string text = fmt::format(
      "version {} ({}) is released: {} instances, and the last {} answers through the front were "
      "all new",
      release.template_version, release.image.value, release.original_capacity, release.front_answers);
  if (!release.hosts_unproved) text += ", from every instance";
  if (release.ended_singly > 0) {
    text += fmt::format("; the zone balance had kept {} old, ended one by one", release.ended_singly);
  }
  if (release.commit_unproved) text += "; no commit to compare, so health alone counted";
  if (release.hosts_unproved) text += "; the answers do not say which instance gave them";
  return text;
}

ReleaseStep advance_verifying(const DoubleRelease& release, const ReleaseView& view, Time now) {
  ReleaseStep step;
  const Count total = count(release, view);
  const int missing = 2 * release.original_capacity - release.front_answers;
  const bool all_hosts = release.hosts_unproved || every_host_answered(release, view);
  if (missing <= 0 && all_hosts && total.live_old == 0 && total.live == release.original_capacity) {
    step.to = DoublePhase::kReleased;
    step.outcome = released_sentence(release);
    return step;
  }
  if (now >= release.deadline) {
    const std::string why = release.last_wrong.empty() ? "not every instance answered" : release.last_wrong;
    fail(step,
         fmt::format("the answers through the front did not become all new in time: {}; the group has {} instances of "
                     "version {} and {} older",
                     why, total.live_new, release.template_version, total.live_old));
    return step;
  }
  if (question_is_due(release, now)) {
    step.ask_front = std::max(0, std::min(kMostFrontQuestions, std::max(missing, 1)) - release.front_asked);
  }
  ask_instances(release, view, now, step);
  return step;
}

}  // namespace

std::string_view to_string(DoublePhase phase) {
  switch (phase) {
    case DoublePhase::kDoubling:
      return "doubling";
    case DoublePhase::kHalving:
      return "halving";
    case DoublePhase::kVerifying:
      return "verifying";
    case DoublePhase::kReleased:
      return "released";
    case DoublePhase::kFailed:
      return "failed";
  }
  return "";
}

ReleaseStep advance(const DoubleRelease& release, const ReleaseView& view, Time now) {
  switch (release.phase) {
    case DoublePhase::kDoubling:
      return advance_doubling(release, view, now);
    case DoublePhase::kHalving:
      return advance_halving(release, view, now);
    case DoublePhase::kVerifying:
      return advance_verifying(release, view, now);
    case DoublePhase::kReleased:
    case DoublePhase::kFailed:
      return {};
  }
  return {};
}

bool observe_instance_answer(DoubleRelease& release, const InstanceId& instance, int status,
                             const std::string& commit) {
  if (release.asked.erase(instance) == 0) return false;  // not asked in this release
  if (!speaks_for(release, status, commit, release.commit_unproved)) {
    release.last_wrong = fmt::format("{} {}", instance.value, describe_answer(status, commit));
    return false;
  }
  return release.confirmed.insert(instance).second;
}

void observe_front_answer(DoubleRelease& release, int status, const std::string& commit, const std::string& served_by) {
  if (release.front_asked == 0) return;
  --release.front_asked;
  if (!speaks_for(release, status, commit, release.commit_unproved)) {
    release.front_answers = 0;
    release.front_hosts.clear();
    release.last_wrong =
        fmt::format("{} {}", served_by.empty() ? "the front" : served_by, describe_answer(status, commit));
    return;
  }
  ++release.front_answers;
  if (served_by.empty()) {
    release.hosts_unproved = true;
  } else {
    release.front_hosts.insert(served_by);
  }
}

}  // namespace rr::sim
