#include "sim/scenario/load_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace rr::sim {

std::string_view to_string(RequestCause cause) {
  switch (cause) {
    case RequestCause::kAnswered:
      return "answered";
    case RequestCause::kBadGateway:
      return "502 from the load balancer";
    case RequestCause::kUnavailable:
      return "503 from the load balancer";
    case RequestCause::kGatewayTimeout:
      return "504 from the load balancer";
    case RequestCause::kOtherError:
      return "another 5xx";
    case RequestCause::kRefused:
      return "no connection";
    case RequestCause::kReset:
      return "connection reset";
    case RequestCause::kClosed:
      return "closed without an answer";
    case RequestCause::kTimedOut:
      return "no answer in time";
    case RequestCause::kMalformed:
      return "not HTTP";
  }
  return "";
}

bool failed(RequestCause cause) { return cause != RequestCause::kAnswered; }

namespace {

// The text between `before` and the next '<', searched from `at`, which moves behind it.
std::optional<std::string> between(std::string_view body, std::string_view before, std::size_t& at) {
  const auto from = body.find(before, at);
  if (from == std::string_view::npos) return std::nullopt;
  const auto begin = from + before.size();
  const auto end = body.find('<', begin);
  if (end == std::string_view::npos) return std::nullopt;
  at = end;
  return std::string(body.substr(begin, end - begin));
}

}  // namespace

std::optional<PageOrigin> read_page(std::string_view body) {
  std::size_t at = 0;
  const auto host = between(body, "I'm being served from ", at);
  if (!host) return std::nullopt;
  const auto commit = between(body, "AMI built from commit ", at);
  if (!commit) return std::nullopt;
  const auto build = between(body, "Build number ", at);
  if (!build) return std::nullopt;
  return PageOrigin{*host, *commit, *build};
}

// With 5 bits below the leading one: 1000 = 0b1111101000 has its top bit at 9; bucket (9-5+1)*32 + next five bits.
void LatencyHistogram::add(Duration latency) {
  const auto value = static_cast<std::uint64_t>(std::max<Duration::rep>(latency.count(), 0));
  most_ = std::max(most_, latency);
  ++count_;
  if (value < (1U << kSubBits)) {
    ++buckets_[value];
    return;
  }
  const int top = 63 - std::countl_zero(value);
  const auto sub = (value >> (top - kSubBits)) & ((1U << kSubBits) - 1);
  ++buckets_[(static_cast<std::size_t>(top - kSubBits + 1) << kSubBits) + sub];
}

Duration LatencyHistogram::percentile(double share) const {
  if (count_ == 0) return Duration{};
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(share * static_cast<double>(count_) + 0.999999));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen < wanted) continue;
    if (i < (1U << kSubBits)) return Duration(static_cast<Duration::rep>(i));
    const auto shift = (i >> kSubBits) - 1;
    const auto low = ((std::uint64_t{1} << kSubBits) + (i & ((1U << kSubBits) - 1))) << shift;
    return std::min(Duration(static_cast<Duration::rep>(low + (std::uint64_t{1} << shift) - 1)), most_);
  }
  return most_;
}

void LoadStatistics::add(const LoadSample& sample) {
  ++finished;
  ++by_cause[static_cast<std::size_t>(sample.cause)];
  if (rr::sim::failed(sample.cause)) {
    ++failed;
    return;
  }
  latency.add(sample.ended - sample.scheduled);
  if (sample.host.empty()) return;
  const bool known = by_host.count(sample.host) != 0 || by_host.size() < kMostHosts;
  ++by_host[known ? sample.host : "others"];
}

std::string format_shares(const std::map<std::string, std::uint64_t>& by_host) {
  std::uint64_t all = 0;
  for (const auto& [host, count] : by_host) all += count;
  std::string out;
  for (const auto& [host, count] : by_host) {
    out += fmt::format("{}{} {:.1f} %", out.empty() ? "" : "  ", host,
                       100.0 * static_cast<double>(count) / static_cast<double>(all));
  }
  return out;
}

std::string format_failures(const LoadStatistics& statistics) {
  if (statistics.failed == 0) return "none failed";
  std::string out;
  for (std::size_t i = 0; i < kRequestCauses; ++i) {
    const auto cause = static_cast<RequestCause>(i);
    if (!failed(cause) || statistics.by_cause[i] == 0) continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", statistics.by_cause[i], to_string(cause));
  }
  return fmt::format("{} failed: {}", statistics.failed, out);
}

}  // namespace rr::sim
