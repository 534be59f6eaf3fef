#pragma once
// Prometheus's text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#include "lb/proxy/latency_histogram.h"

namespace rr {

/// name="value", with backslash, quote and line end of the value escaped. Bytes that are no UTF-8, which the format
/// does not allow, become U+FFFD.
std::string label(std::string_view name, std::string_view value);

/// The labels of one series from parts; empty parts are left out.
std::string join_labels(std::initializer_list<std::string_view> parts);

/// What all samples of one name have in common. `help` is one line without backslashes; `type` is counter, gauge or
/// histogram.
struct Metric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
};

/// One metric in the text: HELP and TYPE, then its samples, which must follow before another family begins.
class Family {
 public:
  Family(std::string& out, const Metric& metric);

  template <std::integral Value>
  void sample(std::string_view labels, Value value) {
    line({}, labels, {}, fmt::format_int(value));
  }
  void sample(std::string_view labels, double value) { line({}, labels, {}, fmt::format("{}", value)); }
  /// Buckets in seconds up to +Inf, sum and count.
  void sample(std::string_view labels, const LatencyHistogram& histogram);

 private:
  /// `last` is one more label, after `labels`.
  void line(std::string_view suffix, std::string_view labels, std::string_view last, std::string_view value);
  void line(std::string_view suffix, std::string_view labels, std::string_view last, const fmt::format_int& value) {
    line(suffix, labels, last, std::string_view(value.data(), value.size()));
  }

  std::string& out_;
  std::string_view name_;
};

}  // namespace rr
