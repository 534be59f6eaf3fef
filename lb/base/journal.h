#pragma once
// What happened, in order. Every state change of the decisions writes one line; the digest over all lines tells whether
// two runs went the same way.
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "lb/base/time.h"

namespace rr {

struct JournalLine {
  Time time;
  std::string entity;  // "i-0123456789abcdef0", "tier", "eu-west-1a"
  std::string event;   // "InService -> Terminating: ELB system health check failure"
  bool operator==(const JournalLine&) const = default;
};

/// Keeps the last lines and a digest of all. Its memory is bounded by `keep` lines.
class Journal {
 public:
  explicit Journal(std::size_t keep = 10'000) : keep_(keep) {}

  void write(Time time, std::string_view entity, std::string_view event);

  /// Called for every line as it is written; the adapter prints or stores it. It must not write to this journal.
  void set_sink(std::function<void(const JournalLine&)> sink) { sink_ = std::move(sink); }

  const std::deque<JournalLine>& lines() const { return lines_; }
  std::uint64_t written() const { return written_; }

  /// FNV-1a over time, entity and event of every line ever written.
  std::uint64_t digest() const { return digest_; }

 private:
  std::size_t keep_;
  std::deque<JournalLine> lines_;
  std::uint64_t written_ = 0;
  std::uint64_t digest_ = 0xcbf29ce484222325;
  std::function<void(const JournalLine&)> sink_;
};

}  // namespace rr
