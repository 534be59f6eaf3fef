#pragma once
// The commands of rr-sim, one function each. They return the exit status.
#include <memory>
#include <string>
#include <vector>

#include "sim/command_line.h"
#include "sim/scenario/state_folder.h"

namespace rr::sim {

int run_up(const CommandSpec& command, const Arguments& arguments);
int run_down(const CommandSpec& command, const Arguments& arguments);
int run_settings(const CommandSpec& command, const Arguments& arguments);
int run_status(const CommandSpec& command, const Arguments& arguments);
int run_az_fail(const CommandSpec& command, const Arguments& arguments);
int run_az_heal(const CommandSpec& command, const Arguments& arguments);
int run_instance_fail(const CommandSpec& command, const Arguments& arguments);
int run_instance_heal(const CommandSpec& command, const Arguments& arguments);
int run_instance_terminate(const CommandSpec& command, const Arguments& arguments);
int run_instance_health(const CommandSpec& command, const Arguments& arguments);
int run_instance_protect(const CommandSpec& command, const Arguments& arguments);
int run_instance_standby(const CommandSpec& command, const Arguments& arguments);
int run_instance_return(const CommandSpec& command, const Arguments& arguments);
int run_instance_detach(const CommandSpec& command, const Arguments& arguments);
int run_instance_attach(const CommandSpec& command, const Arguments& arguments);
int run_group_update(const CommandSpec& command, const Arguments& arguments);
int run_group_suspend(const CommandSpec& command, const Arguments& arguments);
int run_group_resume(const CommandSpec& command, const Arguments& arguments);
int run_group_activities(const CommandSpec& command, const Arguments& arguments);
int run_hook_put(const CommandSpec& command, const Arguments& arguments);
int run_hook_delete(const CommandSpec& command, const Arguments& arguments);
int run_hook_complete(const CommandSpec& command, const Arguments& arguments);
int run_hook_heartbeat(const CommandSpec& command, const Arguments& arguments);
int run_alarm_put(const CommandSpec& command, const Arguments& arguments);
int run_alarm_list(const CommandSpec& command, const Arguments& arguments);
int run_alarm_set(const CommandSpec& command, const Arguments& arguments);
int run_alarm_delete(const CommandSpec& command, const Arguments& arguments);
int run_policy_put(const CommandSpec& command, const Arguments& arguments);
int run_policy_list(const CommandSpec& command, const Arguments& arguments);
int run_policy_delete(const CommandSpec& command, const Arguments& arguments);
int run_policy_execute(const CommandSpec& command, const Arguments& arguments);
int run_schedule_put(const CommandSpec& command, const Arguments& arguments);
int run_schedule_list(const CommandSpec& command, const Arguments& arguments);
int run_schedule_delete(const CommandSpec& command, const Arguments& arguments);
int run_scale(const CommandSpec& command, const Arguments& arguments);
int run_image_build(const CommandSpec& command, const Arguments& arguments);
int run_image_list(const CommandSpec& command, const Arguments& arguments);
int run_fault(const CommandSpec& command, const Arguments& arguments);
int run_faults(const CommandSpec& command, const Arguments& arguments);
int run_heal(const CommandSpec& command, const Arguments& arguments);
int run_export_fis(const CommandSpec& command, const Arguments& arguments);
int run_zonal_shift(const CommandSpec& command, const Arguments& arguments);
int run_release(const CommandSpec& command, const Arguments& arguments);
/// The flags of a release that is an instance refresh.
std::vector<FlagSpec> refresh_flags();
int run_refresh_release(const CommandSpec& command, const Arguments& arguments);
int run_refresh_status(const CommandSpec& command, const Arguments& arguments);
int run_refresh_cancel(const CommandSpec& command, const Arguments& arguments);
int run_refresh_rollback(const CommandSpec& command, const Arguments& arguments);
int run_load(const CommandSpec& command, const Arguments& arguments);
int run_logs(const CommandSpec& command, const Arguments& arguments);
int run_session(const CommandSpec& command, const Arguments& arguments);
int run_demo(const CommandSpec& command, const Arguments& arguments);

/// The commands that run in virtual time: laws, swarm, replay.
std::vector<CommandSpec> virtual_commands();
/// Scenarios, played and compared.
std::vector<CommandSpec> scenario_commands();

/// Every command, in the order of --help.
const std::vector<CommandSpec>& all_commands();

/// The state folder that --state names, or the default one.
StateLayout layout_of(const Arguments& arguments);
/// The current folder.
std::string current_folder();

}  // namespace rr::sim
