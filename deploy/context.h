#pragma once
// What every command about an environment begins with: settings, credentials, names.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/aws/client.h"
#include "deploy/command_line.h"
#include "deploy/prober.h"
#include "deploy/process.h"
#include "deploy/settings/settings.h"
#include "deploy/speaker.h"

namespace rr::deploy {

struct Context {
  Transport transport;
  Surroundings surroundings;
  std::optional<Client> client;
  Settings settings;
  std::string settings_from;  // a path, or "Parameter Store"
  Names names;
  Places places;
  bool json = false;
  std::string profile;  // what was asked for; empty: nothing
  Speaker speaker{stdout, false, true};

  Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// What a child process (terraform, packer, aws) needs to be on the same account and region.
  std::map<std::string, std::string> child_variables() const;
};

/// Where settings are looked for first. A rollback at night takes what is deployed; everything else takes the checkout.
enum class SettingsFirst { kCheckout, kStored };

/// Whether AWS will be called. If so, the region has to be the settings'.
enum class Calls { kAws, kNobody };

/// The error is for people, a line or several.
Result<std::unique_ptr<Context>> open_context(const Arguments& arguments,
                                              SettingsFirst first = SettingsFirst::kCheckout,
                                              Calls calls = Calls::kAws);

/// The folder of this checkout: the current one or one above it that has deploy/settings.
std::optional<std::string> find_checkout();

/// The value of an SSM parameter; nothing when there is none.
Result<std::optional<std::string>> read_parameter(Context& context, const std::string& name);
Status write_parameter(Context& context, const std::string& name, const std::string& value);

/// The tier as AWS has it.
struct Tier {
  std::optional<Group> group;
  std::string target_group;
  std::string url;         // without a path; empty when there is no load balancer
  std::string connect_to;  // "HOST:PORT" of the load balancer, when the URL has another name
  std::string load_balancer;
  std::string load_balancer_state;
};
Result<Tier> find_tier(Context& context, const std::string& url_asked_for);

/// A call whose failure is the command's.
template <class Kind>
Result<Kind> ask(Context& context, const Command& command) {
  Event event = context.client->perform(command, context.places);
  if (auto* failure = std::get_if<Failure>(&event)) return Error{failure->message};
  return std::get<Kind>(std::get<Reply>(std::move(event)));
}

/// With --url the tier needs no more than its url.
Question question_about(const Context& context, const Tier& tier);

}  // namespace rr::deploy
