#pragma once
// A region that outlives its process: a folder with
//
//   snapshot.json   the whole state after record N: {"version": 1, "number": N, "state": ...}
//   log.jsonl       what was accepted since, a line each with number and time; chance is in the state, so the same
//                   records give the same state again
//
// A snapshot replaces the one before it only when it is whole on the disk; records up to its number are then skipped,
// so a crash at any moment leaves a folder that opens to what had been recorded before it.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lb/base/journal.h"
#include "lb/base/result.h"
#include "sim/cloud/recorder.h"
#include "sim/cloud/region.h"
#include "sim/store/region_text.h"

namespace rr::sim {

class RegionLog final : public Recorder {
 public:
  /// So many records make a new snapshot.
  static constexpr std::uint64_t kRecordsPerSnapshot = 2'000;

  /// Whether the folder holds a region.
  static bool exists(const std::string& folder);

  /// Writes the first snapshot. The folder is made when it is missing; one that holds a region is refused.
  static Result<std::unique_ptr<RegionLog>> create(const std::string& folder, const RegionState& state);

  struct Opened {
    std::unique_ptr<RegionLog> log;
    Region region;               // with the log as its recorder, actions muted; recover() is the caller's next step
    std::uint64_t replayed = 0;  // records after the snapshot
    bool torn = false;           // the last line was incomplete and has been cut off
  };
  /// Loads the snapshot and replays the log. An incomplete last line is what a crash leaves, and is cut off; anything
  /// else that cannot be read is refused with an error that names the file and the command that moves it away.
  static Result<Opened> open(const std::string& folder, Journal* journal);

  ~RegionLog() override;
  RegionLog(const RegionLog&) = delete;
  RegionLog& operator=(const RegionLog&) = delete;

  void record(Time now, const Command& command) override;
  void record(Time now, const Event& event) override;
  void record_wake(Time now) override;
  void record_recovery(Time now, const std::set<std::string>& still_running) override;
  /// fdatasync; every kRecordsPerSnapshot records a new snapshot, after which the log is empty.
  void sync(const RegionState& state) override;

  /// Who is told that nothing can be written any more (the disk is full, for instance). By default the process ends
  /// with one line: to go on would break the promise that what was answered is remembered.
  void on_failure(std::function<void(const Error&)> failed) { failed_ = std::move(failed); }

  void set_records_per_snapshot(std::uint64_t records) { records_per_snapshot_ = records; }

 private:
  RegionLog(std::string folder, int log_file, std::uint64_t number);
  void append(LogRecord record);
  void fail(const std::string& what);

  std::string folder_;
  int log_file_;
  std::uint64_t number_;      // of the last record
  std::uint64_t in_log_ = 0;  // records since the snapshot
  bool unsynced_ = false;
  std::uint64_t records_per_snapshot_ = kRecordsPerSnapshot;
  std::function<void(const Error&)> failed_;
};

/// Applies a record to a region, as it was applied when it was written. The error is that of a command that is refused
/// now though it was accepted then.
Status replay(Region& region, const LogRecord& record);

}  // namespace rr::sim
