#pragma once
// A region's state and the records of its log as text (JSON). Exact: what is read back equals what was written.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "lb/base/result.h"
#include "sim/cloud/region.h"

namespace rr::sim {

/// The region was woken and had something to do.
struct Woken {
  bool operator==(const Woken&) const = default;
};
/// The region went on after a restart.
struct Recovered {
  std::set<std::string> still_running;
  bool operator==(const Recovered&) const = default;
};

/// One line of the log.
struct LogRecord {
  std::uint64_t number = 0;  // of the record, without gaps
  Time time;
  std::variant<Woken, Recovered, Command, Event> what;
  bool operator==(const LogRecord&) const = default;
};

/// What a snapshot holds: the state after the record of that number.
struct Snapshot {
  std::uint64_t number = 0;
  RegionState state;
  bool operator==(const Snapshot&) const = default;
};

/// With "version": RegionState::kVersion.
std::string write_snapshot(const Snapshot& snapshot);
/// The error says what is wrong, without naming the file: "version 2 is newer than the 1 that this program knows".
Result<Snapshot> read_snapshot(std::string_view text);

/// A command as text, as the log has it.
std::string write_command(const Command& command);
Result<Command> read_command(std::string_view text);

/// One line without its end.
std::string write_record(const LogRecord& record);
Result<LogRecord> read_record(std::string_view line);

}  // namespace rr::sim
