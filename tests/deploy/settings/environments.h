#pragma once
// The repository's own environments, for the tests of what is made of them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "deploy/settings/settings.h"

namespace rr::deploy {

/// A file of the repository, by its path from the root.
inline std::string file_of_repository(const std::string& path) {
  std::ifstream stream(std::string(RR_ROOT) + "/" + path);
  EXPECT_TRUE(stream.good()) << path;
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

inline std::string environment_text(const std::string& environment) {
  return file_of_repository("deploy/settings/" + environment + ".yaml");
}

inline Settings settings_from(const std::string& text, const std::string& file) {
  const auto read = read_settings(text, file);
  if (read) return *read;
  for (const std::string& error : read.error()) ADD_FAILURE() << error;
  return {};
}

inline Settings environment(const std::string& name) { return settings_from(environment_text(name), name + ".yaml"); }

/// The text with its one occurrence of `what` replaced.
inline std::string with(std::string text, const std::string& what, const std::string& instead) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  EXPECT_EQ(text.find(what, at + 1), std::string::npos) << what << " is there twice";
  return at == std::string::npos ? text : text.replace(at, what.size(), instead);
}

}  // namespace rr::deploy
