#include "lb/policy/keep_alive_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lb/base/request_view.h"
#include "lb/policy/explanation.h"

namespace rr {
namespace {

constexpr std::int64_t kMostSeconds = 365LL * 24 * 3600;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Duration> announced_keep_alive(std::string_view header) {
  constexpr std::string_view kTimeout = "timeout=";
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    const std::string_view part = trimmed(header.substr(0, comma));
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    if (part.size() <= kTimeout.size() || !equals_ignoring_case(part.substr(0, kTimeout.size()), kTimeout)) continue;
    const std::string_view digits = part.substr(kTimeout.size());
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    if (!whole || seconds < 0 || seconds > kMostSeconds) return std::nullopt;
    return std::chrono::seconds(seconds);
  }
  return std::nullopt;
}

bool KeepAliveWatch::on_first_response(std::optional<std::string_view> keep_alive, Duration idle_timeout) {
  heard_ = true;
  if (keep_alive) announced_ = announced_keep_alive(*keep_alive);
  return announced_ && *announced_ <= idle_timeout;
}

bool KeepAliveWatch::on_idle_close(Duration idle, Time now, Duration idle_timeout) {
  if (idle >= idle_timeout) return false;
  ++early_closes_;
  last_early_close_ = now;
  if (!shortest_idle_ || idle < *shortest_idle_) shortest_idle_ = idle;
  if (last_warning_ && now - *last_warning_ < kWarnEvery) return false;
  last_warning_ = now;
  return true;
}

void KeepAliveWatch::merge(const KeepAliveWatch& other) {
  heard_ = heard_ || other.heard_;
  if (!announced_) announced_ = other.announced_;
  early_closes_ += other.early_closes_;
  if (other.shortest_idle_ && (!shortest_idle_ || *other.shortest_idle_ < *shortest_idle_)) {
    shortest_idle_ = other.shortest_idle_;
  }
  last_early_close_ = std::max(last_early_close_, other.last_early_close_);
}

std::string KeepAliveWatch::warning(std::string_view target, Duration idle_timeout) const {
  const bool announces_less = announced_ && *announced_ <= idle_timeout;
  const bool closes_early = early_closes_ > 0 && *shortest_idle_ < idle_timeout;
  if (!announces_less && !closes_early) return "";
  std::string text = fmt::format("target {}", target);
  if (announces_less) text += fmt::format(" announces a keep-alive of {}", span_text(*announced_));
  if (announces_less && closes_early) text += " and";
  if (closes_early) {
    text += fmt::format(" closed {} idle connection{} early, one after {}", early_closes_,
                        early_closes_ == 1 ? "" : "s", span_text(*shortest_idle_));
  }
  return text + fmt::format(
                    "; the load balancer's idle timeout is {}: a request that meets the close is answered 502; raise "
                    "the target's keep-alive above it",
                    span_text(idle_timeout));
}

}  // namespace rr
