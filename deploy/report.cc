#include "deploy/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace rr::deploy {
namespace {

using Json = nlohmann::ordered_json;

Json released_json(const Released& released) {
  Json document = {{"version", released.version}, {"ami", released.image}};
  if (!released.artifact.empty()) document["artifact"] = released.artifact;
  document["commit"] = released.commit;
  document["build"] = released.build;
  return document;
}

const char* outcome_of(const Report& report, const Rollout& rollout) {
  switch (report.verdict.code) {
    case kReleased:
      return rollout.plan().kind == JobKind::kRollback ? "rolled back" : "released";
    case kRefused:
      return "refused";
    case kRolledBack:
      return "not released";
    case kRollbackFailed:
      return "broken";
    default:
      return "interrupted";
  }
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(letter) >= 0x20 || letter == '\n' || letter == '\t') safe += letter;
    }
  }
  return safe;
}

Json phases_json(const Report& report, const Rollout& rollout) {
  Json phases = Json::array();
  const auto& all = rollout.phases();
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (all[at].first == Phase::kDone) continue;
    const Time end = at + 1 < all.size() ? all[at + 1].second : report.ended;
    phases.push_back({{"phase", to_string(all[at].first)}, {"seconds", to_seconds(end - all[at].second)}});
  }
  return phases;
}

}  // namespace

std::string report_json(const Report& report, const Rollout& rollout) {
  const Tally& tally = rollout.tally();
  Json document = {{"command", to_string(rollout.plan().kind)},
                   {"environment", report.environment},
                   {"outcome", outcome_of(report, rollout)},
                   {"exit_code", report.verdict.code},
                   {"reason", report.verdict.reason},
                   {"url", report.url},
                   {"strategy", to_string(rollout.job().strategy)},
                   {"from", released_json(rollout.job().from)},
                   {"to", released_json(rollout.job().to)},
                   {"began", format_iso8601(report.began, 3)},
                   {"seconds", to_seconds(report.ended - report.began)},
                   {"phases", phases_json(report, rollout)}};
  const double answers = static_cast<double>(tally.answers());
  document["probe"] = {
      {"requests", tally.answers()},
      {"failed", tally.failed()},
      {"availability",
       tally.answers() == 0 ? Json(nullptr) : Json(1.0 - static_cast<double>(tally.failed()) / answers)},
      {"failures", tally.failures()},
      {"versions", tally.versions()},
      {"slowest_seconds", to_seconds(tally.slowest())}};
  document["notes"] = Json::array();
  for (const auto& [time, note] : report.notes) {
    document["notes"].push_back({{"at", format_iso8601(time, 3)}, {"text", note.text}});
  }
  return document.dump(2) + "\n";
}

std::string report_junit(const Report& report, const Rollout& rollout) {
  const auto& all = rollout.phases();
  std::string cases;
  int count = 0;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (all[at].first == Phase::kDone) continue;
    const Time end = at + 1 < all.size() ? all[at + 1].second : report.ended;
    const bool last = at + 1 == all.size() || all[at + 1].first == Phase::kDone;
    const bool turned =
        at + 1 < all.size() && all[at + 1].first == Phase::kTurn && rollout.plan().kind == JobKind::kRelease;
    const bool failed = turned || (last && report.verdict.code != kReleased && report.verdict.code != kRolledBack);
    ++count;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"", escaped(report.environment),
                         to_string(all[at].first), to_seconds(end - all[at].second));
    cases += failed ? fmt::format("><failure message=\"{}\"/></testcase>\n",
                                  escaped(turned ? rollout.job().why : report.verdict.reason))
                    : "/>\n";
  }
  const bool bad = report.verdict.code != kReleased;
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"rr-deploy {}\" tests=\"{}\" "
      "failures=\"{}\" time=\"{:.3f}\">\n{}  </testsuite>\n</testsuites>\n",
      to_string(rollout.plan().kind), count, bad ? 1 : 0, to_seconds(report.ended - report.began), cases);
}

}  // namespace rr::deploy
