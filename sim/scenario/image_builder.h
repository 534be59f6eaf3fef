#pragma once
// Images: immutable folders, named by what is in them.
#include <optional>
#include <string>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "sim/cloud/model.h"

namespace rr::sim {

struct ImageSource {
  std::string name;                  // "rr-webapp", or what the user's command begins with
  std::string program;               // one program to be copied in; empty: see folder
  std::string folder;                // copied in as a whole; empty together with program: nothing is copied
  std::string run_in;                // with nothing copied: where the command runs
  std::vector<std::string> command;  // what an instance runs
  std::string commit;
  std::string build;
};

/// Makes the image below `images`: ami- and the first 17 hex digits of the SHA-256 over contents, command, commit and
/// build. Making the same image again gives the same id and touches nothing. The error names the file that is missing.
Result<Image> build_image(const std::string& images, const ImageSource& source, Time now);

/// HEAD of the git checkout that `folder` is in; "unknown" when it is none.
std::string git_commit(const std::string& folder);

/// The program of that name beside this one, else on PATH; empty when there is none.
std::string find_program(const std::string& name);

/// What rr-webapp is started with: no long lame-duck time, because an instance leaves the balancer before it is ended.
std::vector<std::string> webapp_flags();

/// A command of a shell as a process's argument list.
std::vector<std::string> shell_command(const std::string& command);

/// 40 hex digits that follow from the text: a commit for the demo's next version, which no repository has.
std::string made_up_commit(const std::string& from);

/// Lower-case hex SHA-256.
std::string sha256_hex(const std::string& bytes);

}  // namespace rr::sim
