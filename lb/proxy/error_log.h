#pragma once
// The last errors that a load balancer answered by itself, with what explains them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lb/policy/exchange_rules.h"
#include "lb/policy/explanation.h"

namespace rr {

/// One error as it happened. Texts are cut at kMaximumErrorText.
struct ErrorEntry {
  ExchangeRecord record;
  ExplainedSettings settings;  // those of that moment
  std::string target;          // "172.31.16.10:8080", empty when none was chosen
  std::string target_group;
  std::string listener;
  std::string client;
  std::string trace_id;      // "Root=1-..."
  std::string request_line;  // "GET /cart?id=7"; empty when it could not be read

  std::string explanation() const { return explain(record, target, settings); }
};

constexpr std::size_t kKeptErrors = 100;
constexpr std::size_t kMaximumErrorText = 512;

/// The last kKeptErrors, the oldest given up for the newest. A flood of errors reuses the memory of the first hundred.
class ErrorLog {
 public:
  /// The entry to be filled in; what an older one left in it is cleared.
  ErrorEntry& add();
  static void set(std::string& out, std::string_view text) { out.assign(text.substr(0, kMaximumErrorText)); }

  std::size_t size() const { return entries_.size(); }
  std::uint64_t total() const { return total_; }
  /// 0 is the newest.
  const ErrorEntry& newest(std::size_t index) const;

 private:
  std::vector<ErrorEntry> entries_;
  std::size_t next_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace rr
