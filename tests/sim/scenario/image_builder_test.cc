// Images are named by what is in them, and never change.
#include "sim/scenario/image_builder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sim/scenario/state_folder.h"

namespace rr::sim {
namespace {
namespace fs = std::filesystem;

class ImageBuilder : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "/rr-image-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    fs::create_directories(folder_ / "app/sub");
    write("app/server.js", "serve");
    write("app/sub/page.html", "page");
    source_.folder = (folder_ / "app").string();
    source_.command = shell_command("node server.js");
    source_.commit = "abc";
    source_.build = "1";
  }
  void TearDown() override { remove_folder(folder_.string()); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  std::string id(const ImageSource& source) { return build_image(images(), source, Time{})->id.value; }
  std::string images() const { return (folder_ / "images").string(); }

  fs::path folder_;
  ImageSource source_;
};

TEST_F(ImageBuilder, Sha256IsTheStandardOne) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
}

TEST_F(ImageBuilder, TheSameContentHasTheSameName) {
  const std::string first = id(source_);
  EXPECT_EQ(first.size(), 4U + 17U);
  EXPECT_EQ(first.rfind("ami-", 0), 0U);
  EXPECT_EQ(id(source_), first);
}

TEST_F(ImageBuilder, AnythingElseHasAnother) {
  std::set<std::string> ids{id(source_)};
  ImageSource other = source_;
  other.commit = "abd";
  ids.insert(id(other));
  other = source_;
  other.build = "2";
  ids.insert(id(other));
  other = source_;
  other.command = shell_command("node server.js -x");
  ids.insert(id(other));
  write("app/sub/page.html", "pagf");
  ids.insert(id(source_));
  write("app/more", "");
  ids.insert(id(source_));
  ::chmod((folder_ / "app/more").c_str(), 0755);
  ids.insert(id(source_));
  EXPECT_EQ(ids.size(), 7U);
}

TEST_F(ImageBuilder, ItsFolderIsACopyThatCannotBeWritten) {
  const Image image = *build_image(images(), source_, Time{});
  write("app/server.js", "changed later");
  std::string text;
  std::ifstream(image.folder + "/server.js") >> text;
  EXPECT_EQ(text, "serve");
  EXPECT_EQ(fs::status(image.folder + "/server.js").permissions() & fs::perms::owner_write, fs::perms::none);
  EXPECT_EQ(fs::status(image.folder).permissions() & fs::perms::owner_write, fs::perms::none);
}

TEST_F(ImageBuilder, WhatIsMissingIsNamed) {
  ImageSource none;
  none.program = (folder_ / "rr-webapp").string();
  EXPECT_EQ(build_image(images(), none, Time{}).error().message,
            none.program + ": is no program; build it (cmake --build build), or give --from DIR --app CMD");
  source_.folder = (folder_ / "nowhere").string();
  EXPECT_EQ(build_image(images(), source_, Time{}).error().message,
            "--from " + source_.folder + ": is no folder; the folder that holds the program is right");
}

TEST_F(ImageBuilder, AProgramIsRunFromItsImage) {
  write("program", "#!/bin/sh\n");
  ::chmod((folder_ / "program").c_str(), 0755);
  ImageSource source;
  source.program = (folder_ / "program").string();
  const Image image = *build_image(images(), source, Time{});
  ASSERT_EQ(image.command.size(), 1U);
  EXPECT_EQ(image.command[0], image.folder + "/program");
  EXPECT_EQ(::access(image.command[0].c_str(), X_OK), 0);
}

TEST_F(ImageBuilder, OutsideOfGitTheCommitIsUnknown) { EXPECT_EQ(git_commit("/"), "unknown"); }

TEST_F(ImageBuilder, BuildNumbersCountUp) {
  const StateLayout layout(folder_.string());
  EXPECT_EQ(next_build_number(layout), 1);
  EXPECT_EQ(next_build_number(layout), 2);
}

TEST_F(ImageBuilder, ALockKeepsTheSecondOneOut) {
  const StateLayout layout((folder_ / "state").string());
  {
    const auto first = StateLock::take(layout, "rr-sim up --first");
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(lock_holder(layout)->pid, ::getpid());
    const auto second = StateLock::take(layout, "rr-sim up --second");
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.error().message.find("rr-sim up --first"), std::string::npos) << second.error().message;
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_FALSE(lock_holder(layout).has_value());
}

TEST_F(ImageBuilder, APathTooLongForSocketsIsRefused) {
  const std::string deep = "/tmp/" + std::string(100, 'x');
  const auto lock = StateLock::take(StateLayout(deep), "x");
  ASSERT_FALSE(lock.ok());
  EXPECT_NE(lock.error().message.find("too long"), std::string::npos);
  EXPECT_FALSE(fs::exists(deep));
}

TEST(ShellWord, CanBePasted) {
  EXPECT_EQ(shell_word("/tmp/a-b_c.d"), "/tmp/a-b_c.d");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace rr::sim
