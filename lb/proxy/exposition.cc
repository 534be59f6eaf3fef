#include "lb/proxy/exposition.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rr {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// The number of bytes of the UTF-8 character that the text begins with; 0: none does (RFC 3629 section 4).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool beyond = first == 0xf4 && second >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view character) {
  if (character == "\n") {
    out += "\\n";
    return;
  }
  if (character == "\\" || character == "\"") out.push_back('\\');
  out += character;
}

/// The number of bytes before the next one that is not printed as it is: nearly always all of them.
std::size_t plain_length(std::string_view text) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\n' && c != '\\' && c != '"'; };
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), plain) - text.begin());
}

/// The label `le` of each bucket, which every histogram has in the same words.
const std::vector<std::string>& bound_labels() {
  static const std::vector<std::string> labels = [] {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < LatencyHistogram::kBounds; ++i) {
      all.push_back(label("le", fmt::format("{}", to_seconds(LatencyHistogram::bound(i)))));
    }
    all.push_back(label("le", "+Inf"));
    return all;
  }();
  return labels;
}

}  // namespace

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (;;) {
    const std::size_t plain = plain_length(value);
    out += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    const std::size_t length = utf8_length(value);
    append_escaped(out, length == 0 ? kReplacement : value.substr(0, length));
    value.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
  return out;
}

std::string join_labels(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    if (!out.empty()) out.push_back(',');
    out += part;
  }
  return out;
}

Family::Family(std::string& out, const Metric& metric) : out_(out), name_(metric.name) {
  fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", metric.name, metric.help, metric.name,
                 metric.type);
}

void Family::line(std::string_view suffix, std::string_view labels, std::string_view last, std::string_view value) {
  out_.append(name_).append(suffix);
  if (!labels.empty() || !last.empty()) {
    out_.append("{").append(labels).append(labels.empty() || last.empty() ? "" : ",").append(last).append("}");
  }
  out_.append(" ").append(value).append("\n");
}

void Family::sample(std::string_view labels, const LatencyHistogram& histogram) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < histogram.buckets().size(); ++i) {
    count += histogram.buckets()[i];
    line("_bucket", labels, bound_labels()[i], fmt::format_int(count));
  }
  line("_sum", labels, {}, fmt::format("{}", to_seconds(histogram.sum())));
  line("_count", labels, {}, fmt::format_int(count));
}

}  // namespace rr
