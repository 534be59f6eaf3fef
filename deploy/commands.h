#pragma once
// The commands of rr-deploy. Each file has a noun, and gives its commands with what they take and how to run them.
#include <vector>

#include "deploy/command_line.h"

namespace rr::deploy {

std::vector<CommandSpec> settings_commands();   // settings render | check | schema
std::vector<CommandSpec> release_commands();    // release, rollback
std::vector<CommandSpec> status_commands();     // status, history
std::vector<CommandSpec> watch_commands();      // watch, verify
std::vector<CommandSpec> doctor_commands();     // doctor
std::vector<CommandSpec> terraform_commands();  // bootstrap, plan, apply
std::vector<CommandSpec> destroy_commands();    // destroy
std::vector<CommandSpec> image_commands();      // bake, prune
std::vector<CommandSpec> instance_commands();   // logs, session
std::vector<CommandSpec> pipeline_commands();   // pipeline

}  // namespace rr::deploy
