#pragma once
#include <string>

#include "deploy/settings/settings.h"
#include "lb/base/result.h"

namespace rr::deploy {

/// Whether an instance of these settings can install and start what is in the file: a tar archive, packed with gzip,
/// with packer/bundle's `install`, and for its processor. That is what the bundle says of itself (bundle.json), and
/// what the program with which application.start_command begins says (its ELF header), where it is a file of the
/// application's: a script, or an interpreter of the image's, says nothing. The error names the file and what is wrong
/// with it.
Status check_bundle(const Settings& settings, const std::string& file);

}  // namespace rr::deploy
