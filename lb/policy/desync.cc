#include "lb/policy/desync.h"

#include <array>
#include <limits>
#include <optional>

#include "lb/base/framing_lookalike.h"

namespace rr {
namespace {

constexpr std::string_view kTokenMarks = "-_.!#$%&'*+^`|~";

bool is_token_char(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || kTokenMarks.find(c) != std::string_view::npos;
}
bool breaks_lines(char c) { return c == '\r' || c == '\n' || c == '\0'; }
bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}
std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Keeps the first reason of the highest tier.
struct Finding {
  DesyncClass found;
  void add(DesyncTier tier, DesyncReason reason) {
    if (tier > found.tier) found = {tier, reason};
  }
  void acceptable(DesyncReason reason) { add(DesyncTier::kAcceptable, reason); }
  void ambiguous(DesyncReason reason) { add(DesyncTier::kAmbiguous, reason); }
  void severe(DesyncReason reason) { add(DesyncTier::kSevere, reason); }
};

void judge_characters(const HeaderView& header, Finding& finding) {
  for (const char c : header.name) {
    if (breaks_lines(c)) {
      finding.severe(DesyncReason::kBadHeader);
    } else if (!is_token_char(c)) {
      finding.acceptable(DesyncReason::kNonCompliantHeader);
    }
  }
  for (const char c : header.value) {
    if (breaks_lines(c)) {
      finding.severe(DesyncReason::kBadHeader);
    } else if (is_control(c)) {
      finding.acceptable(DesyncReason::kNonCompliantHeader);
    }
  }
  const std::string_view name = trim(header.name);
  if (name.empty() || name.front() == ':') finding.ambiguous(DesyncReason::kEmptyHeader);
}

/// What the fields say about the end of the body.
struct Lengths {
  bool encoded = false;  // by Transfer-Encoding or what looks like it
  bool sized = false;    // by Content-Length or what looks like it
  bool chunked_last = false;
  std::optional<std::uint64_t> size;
};

void judge_coding(std::string_view value, Lengths& lengths, Finding& finding) {
  constexpr std::array<std::string_view, 5> kKnown{"chunked", "compress", "deflate", "gzip", "identity"};
  while (true) {
    const std::size_t comma = value.find(',');
    const std::string_view element = value.substr(0, comma);
    const std::string_view coding = trim(element.substr(0, element.find(';')));
    bool known = false;
    for (const std::string_view one : kKnown) known = known || equals_ignoring_case(one, coding);
    if (!known) finding.severe(DesyncReason::kBadTransferEncoding);
    const bool chunked = equals_ignoring_case(coding, "chunked");
    if (chunked && lengths.chunked_last) finding.severe(DesyncReason::kMultipleTransferEncodingChunked);
    lengths.chunked_last = chunked;
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (size > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    size = size * 10 + digit;
  }
  return size;
}

void judge_size(std::string_view value, Lengths& lengths, Finding& finding) {
  const std::optional<std::uint64_t> size = parse_size(trim(value));
  if (!size) {
    finding.severe(DesyncReason::kBadContentLength);
  } else if (lengths.size && *lengths.size != *size) {
    finding.severe(DesyncReason::kMultipleContentLength);
  } else if (lengths.size) {
    finding.ambiguous(DesyncReason::kDuplicateContentLength);
  } else {
    lengths.size = size;
  }
}

bool says_coding(std::string_view name) {
  return name.size() >= 16 && (equals_ignoring_case(name, "transfer-encoding") || is_transfer_encoding_lookalike(name));
}
bool says_size(std::string_view name) {
  return name.size() >= 13 && (equals_ignoring_case(name, "content-length") || is_content_length_lookalike(name));
}

void judge_lengths(const RequestView& request, const Lengths& present, Finding& finding) {
  if (request.minor < 1 && present.encoded) {  // HTTP/1.0 knows no transfer coding
    finding.ambiguous(DesyncReason::kUndefinedTransferEncodingSemantics);
    return;
  }
  Lengths lengths;
  for (const HeaderView& header : request.headers) {
    if (says_coding(header.name)) judge_coding(header.value, lengths, finding);
  }
  for (const HeaderView& header : request.headers) {
    if (says_size(header.name)) judge_size(header.value, lengths, finding);
  }
  if (request.method == "GET" || request.method == "HEAD") {
    if (present.encoded) finding.ambiguous(DesyncReason::kUndefinedTransferEncodingSemantics);
    if (lengths.size && *lengths.size > 0) finding.ambiguous(DesyncReason::kUndefinedContentLengthSemantics);
    if (lengths.size && *lengths.size == 0) finding.acceptable(DesyncReason::kGetHeadZeroContentLength);
  }
  if (present.encoded && present.sized) finding.ambiguous(DesyncReason::kBothTeClPresent);
}

void judge_start_line(const RequestView& request, Finding& finding) {
  for (const char c : request.method) {
    if (!is_token_char(c)) finding.severe(DesyncReason::kBadMethod);
  }
  const std::string_view version = request.version;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const std::string_view bare = trim(version);
    const bool near = bare.empty() || bare == "HTTP/0.9" ||
                      (bare.size() == 8 && bare.starts_with("HTTP/1.") && bare[7] >= '0' && bare[7] <= '9');
    finding.add(near ? DesyncTier::kAcceptable : DesyncTier::kSevere,
                near ? DesyncReason::kNonCompliantVersion : DesyncReason::kBadVersion);
  }
  for (const char c : request.target) {
    const auto byte = static_cast<unsigned char>(c);
    if (breaks_lines(c)) {
      finding.severe(DesyncReason::kBadUri);
    } else if (c == ' ') {
      finding.acceptable(DesyncReason::kSpaceInUri);
    } else if (byte < 0x20 || byte == 0x7F) {
      finding.ambiguous(DesyncReason::kAmbiguousUri);
    }
  }
}

/// What monitor does. Only the first reason of a tier is known, and worse ones may hide behind it; these two Ambiguous
/// ones are looked for last, so that nothing hides behind them.
DesyncVerdict monitor_verdict(DesyncClass found) {
  switch (found.tier) {
    case DesyncTier::kCompliant:
    case DesyncTier::kAcceptable:
      return DesyncVerdict::kPass;
    case DesyncTier::kAmbiguous: {
      const bool harmless =
          found.reason == DesyncReason::kUndefinedContentLengthSemantics || found.reason == DesyncReason::kAmbiguousUri;
      return harmless ? DesyncVerdict::kPass : DesyncVerdict::kPassAndClose;
    }
    case DesyncTier::kSevere:
      return found.reason == DesyncReason::kBadHeader ? DesyncVerdict::kPassAndClose : DesyncVerdict::kBlock;
  }
  return DesyncVerdict::kBlock;
}

}  // namespace

std::string_view to_string(DesyncTier tier) {
  constexpr std::array<std::string_view, 4> kNames{"Compliant", "Acceptable", "Ambiguous", "Severe"};
  return kNames[static_cast<std::size_t>(tier)];
}

std::string_view to_string(DesyncReason reason) {
  constexpr std::array<std::string_view, 20> kNames{"",
                                                    "BadHeader",
                                                    "NonCompliantHeader",
                                                    "EmptyHeader",
                                                    "SuspiciousHeader",
                                                    "UndefinedTransferEncodingSemantics",
                                                    "UndefinedContentLengthSemantics",
                                                    "BadTransferEncoding",
                                                    "MultipleTransferEncodingChunked",
                                                    "BadContentLength",
                                                    "MultipleContentLength",
                                                    "DuplicateContentLength",
                                                    "GetHeadZeroContentLength",
                                                    "BothTeClPresent",
                                                    "BadMethod",
                                                    "NonCompliantVersion",
                                                    "BadVersion",
                                                    "BadUri",
                                                    "SpaceInUri",
                                                    "AmbiguousUri"};
  return kNames[static_cast<std::size_t>(reason)];
}

DesyncClass classify(const RequestView& request, bool clean) {
  constexpr FieldNames kDoubtful{FieldName::kContentLength, FieldName::kTransferEncoding, FieldName::kFramingLookalike};
  if (clean && !request.names.has_any_of(kDoubtful)) return {};
  Finding finding;
  Lengths present;
  for (const HeaderView& header : request.headers) {
    if (!clean) judge_characters(header, finding);
    if (header.name.size() < 13) continue;  // no name that short concerns the end of the message
    if (is_framing_lookalike(header.name)) finding.ambiguous(DesyncReason::kSuspiciousHeader);
    present.encoded = present.encoded || says_coding(header.name);
    present.sized = present.sized || says_size(header.name);
  }
  if (present.encoded || present.sized) judge_lengths(request, present, finding);
  if (!clean) judge_start_line(request, finding);
  return finding.found;
}

DesyncVerdict desync_verdict(DesyncMode mode, DesyncClass found) {
  if (found.tier == DesyncTier::kCompliant) return DesyncVerdict::kPass;
  switch (mode) {
    case DesyncMode::kMonitor:
      return monitor_verdict(found);
    case DesyncMode::kDefensive:
      if (found.tier == DesyncTier::kSevere) return DesyncVerdict::kBlock;
      return found.tier == DesyncTier::kAmbiguous ? DesyncVerdict::kPassAndClose : DesyncVerdict::kPass;
    case DesyncMode::kStrictest:
      return DesyncVerdict::kBlock;
  }
  return DesyncVerdict::kBlock;
}

}  // namespace rr
