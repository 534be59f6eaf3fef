// The file that every log is written to.
#include "lb/proxy/log_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace rr {
namespace {

const std::string kLine(400, 'x');

void write(LogFile& log) {
  log.write([](std::string& out) { out += kLine; });
}

class LogFileOnDisk : public ::testing::Test {
 protected:
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("rr-log-" + std::to_string(::getpid()));
  void SetUp() override { std::filesystem::create_directory(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::string content(const std::filesystem::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
};

TEST_F(LogFileOnDisk, LinesArriveAtAFlushAndGoToTheNewFileAfterARotation) {
  const auto path = folder_ / "a.log";
  auto log = LogFile::open(path.string());
  ASSERT_TRUE(log.ok());
  write(*log);
  EXPECT_EQ(content(path), "");
  log->flush();
  EXPECT_EQ(content(path), kLine + "\n");
  std::filesystem::rename(path, folder_ / "old.log");
  write(*log);
  ASSERT_TRUE(log->reopen().ok());
  write(*log);
  log->flush();
  EXPECT_EQ(content(path), kLine + "\n");
  EXPECT_EQ(content(folder_ / "old.log").size(), 2 * (kLine.size() + 1));
}

TEST_F(LogFileOnDisk, AFileThatCannotBeOpenedIsNamed) {
  const auto log = LogFile::open((folder_ / "no" / "a.log").string());
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().message.find("No such file or directory"), std::string::npos);
}

TEST(LogFile, AReaderThatDoesNotReadHoldsNobodyUpAndGetsWholeLines) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  auto log = LogFile::open("/dev/fd/" + std::to_string(ends[1]));
  ASSERT_TRUE(log.ok());
  ::close(ends[1]);
  const std::string line = kLine + "\n";
  // A pipe holds 64 KiB and the log 1 MiB; twice that is written, and nobody reads.
  const std::uint64_t lines = (2U << 20) / line.size();
  for (std::uint64_t i = 0; i < lines; ++i) write(*log);
  log->flush();
  EXPECT_GT(log->lost(), lines / 3);
  const std::uint64_t kept = lines - log->lost();
  std::string got;
  char piece[4096];
  while (got.size() < kept * line.size()) {
    log->flush();
    const ssize_t size = ::read(ends[0], piece, sizeof piece);
    ASSERT_GT(size, 0);
    got.append(piece, static_cast<std::size_t>(size));
  }
  EXPECT_EQ(got.size(), kept * line.size());
  for (std::size_t at = 0; at < got.size(); at += line.size()) ASSERT_EQ(got.substr(at, line.size()), line);
  ::close(ends[0]);
}

TEST(LogFile, LinesThatCannotBeWrittenAreCounted) {
  auto log = LogFile::open("/dev/full");
  ASSERT_TRUE(log.ok());
  write(*log);
  write(*log);
  log->flush();
  EXPECT_EQ(log->lost(), 2U);
}

}  // namespace
}  // namespace rr
