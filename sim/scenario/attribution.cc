#include "sim/scenario/attribution.h"

#include <fmt/format.h>

#include <charconv>

namespace rr::sim {

std::string_view to_string(FailureClass kind) {
  switch (kind) {
    case FailureClass::kInFlightThroughDeadNode:
      return "in flight through the dead zone's node";
    case FailureClass::kGivenToDeadTarget:
      return "given to its targets before their ejection";
    case FailureClass::kTakenByNodeBeforeRemoval:
      return "new connections that its node took before its removal";
    case FailureClass::kUnexplained:
      return "unexplained";
  }
  return "";
}

namespace {

bool no_answer(RequestCause cause) {
  return cause == RequestCause::kReset || cause == RequestCause::kClosed || cause == RequestCause::kTimedOut;
}

Verdict judge_logged(const LoadSample& failed, const ZoneFailure& failure, const NodeRecord& record) {
  const std::string said = fmt::format("{} logged it with {} for {}", record.node, record.status,
                                       record.target.empty() ? "no target" : record.target);
  if (!record.dead_target) return {FailureClass::kUnexplained, said};
  // Whom it was given to is known; it was given after it was sent.
  if (failure.targets_ejected && failed.scheduled > *failure.targets_ejected) {
    return {FailureClass::kUnexplained, said + ", after the ejection"};
  }
  if (failed.ended < failure.began) return {FailureClass::kUnexplained, said + ", before the failure"};
  return {FailureClass::kGivenToDeadTarget, said + ", before the ejection"};
}

}  // namespace

Verdict attribute(const LoadSample& failed, const ZoneFailure& failure, const std::optional<NodeRecord>& record) {
  if (record) return judge_logged(failed, failure, *record);
  if (!no_answer(failed.cause)) {
    return {FailureClass::kUnexplained, fmt::format("{}, and no live node logged it", to_string(failed.cause))};
  }
  if (failed.ended < failure.began) return {FailureClass::kUnexplained, "it failed before the zone did"};
  if (failed.scheduled <= failure.done) {
    return {FailureClass::kInFlightThroughDeadNode, fmt::format("sent before the node was gone, {}, and no live node "
                                                                "logged it",
                                                                to_string(failed.cause))};
  }
  if (failure.hang && (!failure.node_removed || failed.scheduled <= *failure.node_removed)) {
    return {FailureClass::kTakenByNodeBeforeRemoval,
            fmt::format("sent before the frozen node was removed, {}, and no live node logged it",
                        to_string(failed.cause))};
  }
  return {FailureClass::kUnexplained, fmt::format("{} after the node was gone", to_string(failed.cause))};
}

namespace {

// Words at spaces, with "..." as one word without its quotes.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty()) {
    if (line.front() == ' ') {
      line.remove_prefix(1);
      continue;
    }
    const bool quote = line.front() == '"';
    if (quote) line.remove_prefix(1);
    const auto end = line.find(quote ? '"' : ' ');
    out.push_back(line.substr(0, end));
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

// type time elb client:port target:port t1 t2 t3 elb_status target_status received sent "request" "agent" cipher
// protocol target_group_arn "trace_id" ...
std::optional<AccessLogEntry> read_access_log_line(std::string_view line) {
  constexpr std::size_t kTarget = 4;
  constexpr std::size_t kStatus = 8;
  constexpr std::size_t kTrace = 17;
  const auto fields = words(line);
  if (fields.size() <= kTrace) return std::nullopt;
  AccessLogEntry entry;
  const std::string_view status = fields[kStatus];
  if (std::from_chars(status.data(), status.data() + status.size(), entry.elb_status).ec != std::errc()) {
    return std::nullopt;
  }
  const std::string_view trace = fields[kTrace];
  const auto root = trace.find("Root=");
  if (root == std::string_view::npos) return std::nullopt;
  const auto rest = trace.substr(root + 5);
  entry.trace_root = std::string(rest.substr(0, rest.find(';')));
  if (fields[kTarget] != "-") entry.target = std::string(fields[kTarget]);
  return entry;
}

}  // namespace rr::sim
