#pragma once
// The log of a whole tier on one terminal: every line with the prefix of who said it, in a colour of its own.
#include <string>
#include <string_view>
#include <utility>

#include "lb/base/journal.h"
#include "sim/console/screen.h"

namespace rr::sim {

class LogView {
 public:
  enum class Detail : std::uint8_t {
    kEvents,    // what the control plane decides and what is done to the world
    kRequests,  // and what the processes write, without health checks
    kAll,       // health checks too
  };

  /// `health_path`: requests for it are health checks.
  LogView(Screen& screen, Detail detail, std::string health_path)
      : screen_(screen), detail_(detail), health_path_(std::move(health_path)) {}

  /// A line that a process wrote. JSON request lines of rr-webapp are shown in short; the log files have them whole.
  void process_line(Time now, std::string_view name, std::string_view zone, std::string_view text);
  void journal_line(const JournalLine& line);

 private:
  void show(Time now, std::string_view prefix, Ink ink, std::string_view text);
  Screen& screen_;
  Detail detail_;
  std::string health_path_;
};

/// "i-0123456789abcdef0" as "i-01234567", other names as they are: what a prefix has room for.
std::string short_name(std::string_view name);
/// How far local time is ahead of UTC.
int utc_offset_seconds(Time time);

}  // namespace rr::sim
