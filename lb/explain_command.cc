#include "lb/explain_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "lb/policy/logged_outcome.h"

namespace rr {
namespace {

constexpr int kRead = 0, kSomeUnreadable = 1, kUsage = 2, kNoInput = 3;
constexpr std::size_t kPiece = 64 * 1024;
/// A URL of 64 KiB and a User-Agent of 8 KiB, every byte of them escaped as four, fit.
constexpr std::size_t kLongestLine = 512 * 1024;
constexpr std::uint64_t kMostComplaints = 10;
constexpr std::string_view kGzip = "\x1f\x8b";

constexpr std::string_view kHelp = R"(usage: rr-lb explain [--json] < ACCESS_LOG

Reads lines of an AWS Application Load Balancer's access log, or of rr-lb's, and
says of each with a 5xx why it ended so: the target's own answer, no target, a
connection that could not be made, a target that was silent or closed, ...

  --json      one JSON object a 5xx line (line, time, status, target_status,
              target, request, outcome, explanation), then one with the sums
              (lines, unreadable, errors, outcomes)
  --help, -h  print this

AWS's files are compressed: zcat *.log.gz | rr-lb explain

Exit: 0 when every line was read, whatever it says; 1 when some were no lines of
such a log; 2 for a mistake on the command line; 3 when the input cannot be read
or the output not be written.
)";

/// What clients chose, for a terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(c);
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

class Explainer {
 public:
  explicit Explainer(bool json) : json_(json) {}

  void line(std::string_view text) {
    ++lines_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) return;
    const auto request = read_access_log_line(text);
    if (!request) return complain(request.error().message);
    if (!is_5xx(*request)) return;
    const LoggedOutcome outcome = classify(*request);
    ++counts_[static_cast<std::size_t>(outcome)];
    ++errors_;
    json_ ? print_json(*request, outcome) : print_text(*request, outcome);
  }

  void too_long() {
    ++lines_;
    complain(fmt::format("longer than {} bytes", kLongestLine));
  }

  /// The sums; the exit code.
  int finish() const {
    json_ ? print_json_sums() : print_sums();
    return unreadable_ == 0 ? kRead : kSomeUnreadable;
  }

 private:
  void complain(const std::string& why) {
    if (++unreadable_ > kMostComplaints) return;
    fmt::print(stderr, "rr-lb explain: line {}: {}\n", lines_, printable(why));
    if (unreadable_ == kMostComplaints) fmt::print(stderr, "rr-lb explain: further ones are only counted\n");
  }
  static void print_text(const LoggedRequest& r, LoggedOutcome outcome) {
    fmt::print("{} {} {} \"{}\"\n    {}\n", printable(r.time), r.status, to_string(outcome), printable(r.request),
               printable(explain(r, outcome)));
  }
  void print_json(const LoggedRequest& r, LoggedOutcome outcome) const {
    nlohmann::ordered_json one{{"line", lines_}, {"time", printable(r.time)}, {"status", r.status}};
    one["target_status"] = r.target_status == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(r.target_status);
    one["target"] = r.target.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(printable(r.target));
    one["request"] = printable(r.request);
    one["outcome"] = to_string(outcome);
    one["explanation"] = printable(explain(r, outcome));
    fmt::print("{}\n", one.dump());
  }
  void print_sums() const {
    fmt::print("{} lines, {} unreadable, {} with 5xx\n", lines_, unreadable_, errors_);
    for (std::size_t i = 0; i < kLoggedOutcomes; ++i) {
      if (counts_[i] != 0) fmt::print("{:>9}  {}\n", counts_[i], to_string(static_cast<LoggedOutcome>(i)));
    }
  }
  void print_json_sums() const {
    nlohmann::ordered_json outcomes = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < kLoggedOutcomes; ++i) {
      if (counts_[i] != 0) outcomes[std::string(to_string(static_cast<LoggedOutcome>(i)))] = counts_[i];
    }
    const nlohmann::ordered_json sums{
        {"lines", lines_}, {"unreadable", unreadable_}, {"errors", errors_}, {"outcomes", outcomes}};
    fmt::print("{}\n", sums.dump());
  }

  bool json_;
  std::uint64_t lines_ = 0, unreadable_ = 0, errors_ = 0;
  std::array<std::uint64_t, kLoggedOutcomes> counts_{};
};

/// Bytes in pieces of any size, lines out.
class Lines {
 public:
  explicit Lines(Explainer& to) : to_(to) {}
  void piece(std::string_view bytes) {
    for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      take(bytes.substr(0, end));
      end_line();
      bytes.remove_prefix(end + 1);
    }
    take(bytes);
  }
  /// The last line may have no end.
  void end() {
    if (overlong_ || !rest_.empty()) end_line();
  }

 private:
  void take(std::string_view bytes) {
    overlong_ = overlong_ || rest_.size() + bytes.size() > kLongestLine;
    if (!overlong_) rest_ += bytes;
  }
  void end_line() {
    overlong_ ? to_.too_long() : to_.line(rest_);
    overlong_ = false;
    rest_.clear();
  }
  Explainer& to_;
  std::string rest_;
  bool overlong_ = false;
};

int fail(int code, const std::string& why) {
  fmt::print(stderr, "rr-lb explain: {}\n", why);
  return code;
}

/// What comes is explained at once: the input may be a log that still grows.
int explain_input(bool json) {
  Explainer explainer(json);
  Lines lines(explainer);
  static char piece[kPiece];
  for (bool first = true;; first = false) {
    const ssize_t size = ::read(STDIN_FILENO, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(kNoInput, fmt::format("standard input: {}", std::strerror(errno)));
    if (size == 0) break;
    const std::string_view bytes(piece, static_cast<std::size_t>(size));
    if (first && bytes.starts_with(kGzip)) return fail(kNoInput, "the input is compressed: zcat FILE | rr-lb explain");
    lines.piece(bytes);
    std::fflush(stdout);
  }
  lines.end();
  const int code = explainer.finish();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return fail(kNoInput, "standard output cannot be written");
  return code;
}

}  // namespace

int explain_command(const std::vector<std::string>& words) {
  bool json = false;
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") {
      fmt::print("{}", kHelp);
      return kRead;
    }
    if (word != "--json")
      return fail(kUsage, fmt::format("'{}' is not --json or --help; the log is read from standard input", word));
    json = true;
  }
  return explain_input(json);
}

}  // namespace rr
