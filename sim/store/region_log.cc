#include "sim/store/region_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "lb/base/check.h"

namespace rr::sim {
namespace {

constexpr mode_t kFileMode = 0644;

std::string snapshot_path(const std::string& folder) { return folder + "/snapshot.json"; }
std::string log_path(const std::string& folder) { return folder + "/log.jsonl"; }

Error system_error(const std::string& what) { return Error{fmt::format("{}: {}", what, std::strerror(errno))}; }

/// What cannot be read is never overwritten: the person moves it away.
Error refuse(const std::string& folder, const std::string& file, const std::string& why) {
  return Error{fmt::format("{}: {}; to begin anew, move the folder away: mv '{}' '{}.old'", file, why, folder, folder)};
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::optional<std::string> read_all(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  char block[65'536];
  ssize_t got = 0;
  while ((got = ::read(file, block, sizeof block)) > 0 || (got < 0 && errno == EINTR)) {
    if (got > 0) text.append(block, static_cast<std::size_t>(got));
  }
  const int why = errno;
  ::close(file);
  errno = why;
  if (got < 0) return std::nullopt;
  return text;
}

bool sync_folder(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  return synced;
}

/// Whole or not at all: a temporary file takes the name only when its bytes are on the disk.
Status replace_file(const std::string& folder, const std::string& path, std::string_view text) {
  const std::string unfinished = path + ".new";
  const int file = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (file < 0) return system_error(unfinished);
  const bool written = write_all(file, text) && ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  errno = why;
  if (!written) return system_error(unfinished);
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return system_error(path);
  if (!sync_folder(folder)) return system_error(folder);
  return Ok{};
}

struct Lines {
  std::vector<LogRecord> records;
  std::size_t good = 0;  // bytes
  bool torn = false;
};

/// Reads the log's text. Only its last line may be incomplete.
Result<Lines> read_lines(std::string_view text) {
  Lines lines;
  int number = 0;
  while (lines.good < text.size()) {
    ++number;
    const std::size_t end = text.find('\n', lines.good);
    const bool is_last = end == std::string_view::npos || end + 1 == text.size();
    const auto record = read_record(text.substr(lines.good, end == std::string_view::npos ? end : end - lines.good));
    if (end == std::string_view::npos || (is_last && !record.ok())) {
      lines.torn = true;
      return lines;
    }
    if (!record.ok()) return Error{fmt::format("line {}: {}", number, record.error().message)};
    lines.records.push_back(*record);
    lines.good = end + 1;
  }
  return lines;
}

}  // namespace

Status replay(Region& region, const LogRecord& record) {
  if (const auto* command = std::get_if<Command>(&record.what)) {
    const auto reply = region.apply(record.time, *command);
    if (!reply.ok()) return Error{fmt::format("record {} is refused: {}", record.number, reply.error().message)};
  } else if (const auto* event = std::get_if<Event>(&record.what)) {
    region.apply(record.time, *event);
  } else if (const auto* recovered = std::get_if<Recovered>(&record.what)) {
    region.recover(record.time, recovered->still_running);
  } else {
    region.wake(record.time);
  }
  region.take_actions();  // muted: they were performed then, or never
  return Ok{};
}

RegionLog::RegionLog(std::string folder, int log_file, std::uint64_t number)
    : folder_(std::move(folder)), log_file_(log_file), number_(number) {}

RegionLog::~RegionLog() { ::close(log_file_); }

bool RegionLog::exists(const std::string& folder) {
  struct stat found {};
  return ::stat(snapshot_path(folder).c_str(), &found) == 0 || ::stat(log_path(folder).c_str(), &found) == 0;
}

Result<std::unique_ptr<RegionLog>> RegionLog::create(const std::string& folder, const RegionState& state) {
  if (exists(folder)) return refuse(folder, folder, "the folder holds a region already");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{fmt::format("{}: {}", folder, error.message())};
  const Status written = replace_file(folder, snapshot_path(folder), write_snapshot({0, state}));
  if (!written.ok()) return written.error();
  const int file = ::open(log_path(folder).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (file < 0 || !sync_folder(folder)) {
    const Error why = system_error(log_path(folder));
    if (file >= 0) ::close(file);
    return why;
  }
  return std::unique_ptr<RegionLog>(new RegionLog(folder, file, 0));
}

Result<RegionLog::Opened> RegionLog::open(const std::string& folder, Journal* journal) {
  const std::optional<std::string> snapshot_text = read_all(snapshot_path(folder));
  if (!snapshot_text) return refuse(folder, snapshot_path(folder), std::strerror(errno));
  Result<Snapshot> snapshot = read_snapshot(*snapshot_text);
  if (!snapshot.ok()) return refuse(folder, snapshot_path(folder), snapshot.error().message);
  // Without a log nothing was recorded since the snapshot: a crash right after the first one.
  const std::optional<std::string> log_text = read_all(log_path(folder));
  if (!log_text && errno != ENOENT) return refuse(folder, log_path(folder), std::strerror(errno));
  const Result<Lines> lines = read_lines(log_text.value_or(""));
  if (!lines.ok()) return refuse(folder, log_path(folder), lines.error().message);

  std::uint64_t number = snapshot->number;
  Region region(std::move(snapshot->state), journal);
  std::uint64_t replayed = 0;
  for (const LogRecord& record : lines.value().records) {
    if (record.number <= number) continue;  // the snapshot was written after it
    if (record.number != number + 1) {
      return refuse(folder, log_path(folder),
                    fmt::format("record {} is missing, the next one is {}", number + 1, record.number));
    }
    const Status replayed_well = replay(region, record);
    if (!replayed_well.ok()) return refuse(folder, log_path(folder), replayed_well.error().message);
    number = record.number;
    ++replayed;
  }
  const int file = ::open(log_path(folder).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (file < 0) return system_error(log_path(folder));
  std::unique_ptr<RegionLog> log(new RegionLog(folder, file, number));
  log->in_log_ = lines.value().records.size();
  const bool cut =
      !lines.value().torn || (::ftruncate(file, static_cast<off_t>(lines.value().good)) == 0 && ::fdatasync(file) == 0);
  if (!cut) return system_error(log_path(folder));
  region.set_recorder(log.get());
  return Opened{std::move(log), std::move(region), replayed, lines.value().torn};
}

void RegionLog::fail(const std::string& what) {
  const Error error = system_error(what);
  if (failed_) return failed_(error);
  check_failed("the region's log can be written", error.message.c_str(), __FILE__, __LINE__);
}

void RegionLog::append(LogRecord record) {
  record.number = ++number_;
  ++in_log_;
  unsynced_ = true;
  if (!write_all(log_file_, write_record(record) + "\n")) fail(log_path(folder_));
}

void RegionLog::record(Time now, const Command& command) { append({0, now, command}); }
void RegionLog::record(Time now, const Event& event) { append({0, now, event}); }
void RegionLog::record_wake(Time now) { append({0, now, Woken{}}); }
void RegionLog::record_recovery(Time now, const std::set<std::string>& still_running) {
  append({0, now, Recovered{still_running}});
}

void RegionLog::sync(const RegionState& state) {
  if (!unsynced_) return;
  unsynced_ = false;
  if (::fdatasync(log_file_) != 0) return fail(log_path(folder_));
  if (in_log_ < records_per_snapshot_) return;
  const Status written = replace_file(folder_, snapshot_path(folder_), write_snapshot({number_, state}));
  if (!written.ok()) {
    if (failed_) return failed_(written.error());
    check_failed("a snapshot can be written", written.error().message.c_str(), __FILE__, __LINE__);
  }
  if (::ftruncate(log_file_, 0) != 0 || ::fdatasync(log_file_) != 0) return fail(log_path(folder_));
  in_log_ = 0;
}

}  // namespace rr::sim
