#pragma once
// The settings in the form that each tool reads. A text each, to be written to a file or standard output as it is.
#include <optional>
#include <string>
#include <string_view>

#include "deploy/settings/settings.h"

namespace rr::deploy {

enum class Receiver : std::uint8_t { kTerraform, kPacker, kUnit, kSimulator, kCi };
std::string_view to_string(Receiver receiver);  // "terraform", "packer", "unit", "sim", "ci"
std::optional<Receiver> parse_receiver(std::string_view text);

std::string render(const Settings& settings, Receiver receiver);

/// terraform.tfvars.json: every section as it is in the file, times in seconds, and `names`. read_settings reads it
/// back once `names` is gone.
std::string render_terraform(const Settings& settings);

/// *.pkrvars.json: what a bake needs, flat. Times are "300s", as Packer reads them.
std::string render_packer(const Settings& settings);

/// The unit's environment file: HOST, PORT, and what the program is.
std::string render_unit(const Settings& settings);

/// The settings file of rr-sim (`rr-sim up --settings FILE`): the same tier, the same numbers.
std::string render_simulator(const Settings& settings);

/// NAME=VALUE lines, to be set as variables of the CI. ARNs are complete once the account is known (in_account).
std::string render_ci(const Settings& settings);

}  // namespace rr::deploy
