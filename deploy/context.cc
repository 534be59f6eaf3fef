#include "deploy/context.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "deploy/aws/xml.h"

namespace rr::deploy {
namespace {

// not a setting: the name under which Parameter Store is asked when there is no file
constexpr const char* kUsualName = "round-robin";

std::string joined(const ConfigErrors& errors) { return fmt::format("{}", fmt::join(errors, "\n")); }

Result<Settings> read_file(const std::string& path) {
  const auto text = read_whole_file(path);
  if (!text) return Error{fmt::format("{}: there is no such file, or it cannot be read", path)};
  auto settings = read_settings(*text, path);
  if (!settings) return Error{joined(settings.error())};
  return *settings;
}

std::optional<std::string> checkout_file(const std::string& environment) {
  const auto checkout = find_checkout();
  if (!checkout) return std::nullopt;
  const std::string path = fmt::format("{}/deploy/settings/{}.yaml", *checkout, environment);
  return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

/// What Terraform keeps in Parameter Store, for whoever has no checkout. Kept by another version of this program it may
/// be unreadable: who has a checkout (`has_other`) takes that, so that a rollback at night does not fail for a new
/// setting.
Result<std::optional<Settings>> read_stored(Context& context, const std::string& name, const std::string& environment,
                                            bool has_other) {
  Settings wanted;
  wanted.name = name;
  wanted.environment = environment;
  const auto text = read_parameter(context, names_of(wanted).settings_parameter);
  if (!text) return text.error();
  if (!*text) return std::optional<Settings>();
  auto document = nlohmann::json::parse(**text, nullptr, false);
  if (document.is_object()) document.erase("names");
  auto settings = read_settings(document.dump(), "");
  if (settings) return std::optional(*settings);
  const std::string why = fmt::format("{}: {}", names_of(wanted).settings_parameter, joined(settings.error()));
  if (!has_other) return Error{why};
  context.speaker.line(why + "; the checkout's are taken", Colour::kYellow);
  return std::optional<Settings>();
}

/// "prodution: there is no deploy/settings/prodution.yaml (there are local, production); "; empty without a checkout.
std::string environments_here(const std::string& environment) {
  const auto checkout = find_checkout();
  if (!checkout) return "";
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(*checkout + "/deploy/settings", error)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}: there is no deploy/settings/{}.yaml here (there are: {}); ", environment, environment,
                     fmt::join(names, ", "));
}

void connect(Context& context, const Arguments& arguments, const std::string& region) {
  const bool asked = arguments.has("--profile");
  std::random_device device;
  context.client.emplace(context.surroundings, profile_name(context.surroundings, arguments.value("--profile")), asked,
                         region, Rng((std::uint64_t{device()} << 32) | device()),
                         [](Duration span) { return sleep_until_interrupt(span, interrupts()); });
}

/// The settings say where an environment is. Another region would hold nothing of it, or get a second one of its name.
Status check_region(const Context& context) {
  const std::string& right = context.settings.aws.region;
  if (context.client->region() == right) return Ok{};
  return Error{fmt::format("region {}: the settings say {} ({}); set AWS_REGION and --region to it, or leave them out",
                           context.client->region(), right, context.settings_from)};
}

/// Of --region, of the variables, else of the checkout's settings; a profile is of no environment and comes last.
std::string wanted_region(const Context& context, const Arguments& arguments, const std::optional<std::string>& file) {
  std::string region = arguments.value("--region");
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (region.empty()) region = context.surroundings.variable(variable);
  }
  if (!region.empty() || !file) return region;
  const auto settings = read_file(*file);
  return settings ? settings->aws.region : "";
}

Status fill(Context& context, const Arguments& arguments, SettingsFirst first) {
  const std::string environment = arguments.words().at(0);
  const std::string name = arguments.value("--name", kUsualName);
  std::optional<std::string> file;
  if (arguments.has("--settings")) {
    file = arguments.value("--settings");
  } else if (first == SettingsFirst::kCheckout) {
    file = checkout_file(environment);
  }
  if (file) {
    auto settings = read_file(*file);
    if (!settings) return settings.error();
    context.settings = std::move(*settings);
    context.settings_from = *file;
    if (context.settings.environment != environment) {
      return Error{fmt::format("{}: it is about {}, not {}", *file, context.settings.environment, environment)};
    }
    const std::string region = arguments.value("--region", context.surroundings.variable("AWS_REGION"));
    connect(context, arguments, region.empty() ? context.settings.aws.region : region);
    return Ok{};
  }
  const auto fallback = checkout_file(environment);
  const std::string wanted = wanted_region(context, arguments, fallback);
  const auto found = find_region(context.surroundings, read_profiles(context.surroundings),
                                 profile_name(context.surroundings, arguments.value("--profile")), wanted);
  if (!found && (!fallback || !wanted.empty()))
    return fallback ? found.error() : Error{environments_here(environment) + found.error().message};
  if (found) {
    connect(context, arguments, *found);
    auto stored = read_stored(context, name, environment, fallback.has_value());
    if (!stored) return stored.error();
    if (*stored) {
      context.settings = std::move(**stored);
      context.settings_from = "Parameter Store";
      return Ok{};
    }
  }
  if (!fallback) {
    return Error{
        fmt::format("{}: no settings: there is no deploy/settings/{}.yaml here and no parameter /{}/{}/settings in {}",
                    environment, environment, name, environment, *found)};
  }
  auto settings = read_file(*fallback);
  if (!settings) return settings.error();
  context.settings = std::move(*settings);
  context.settings_from = *fallback;
  connect(context, arguments, found ? *found : context.settings.aws.region);
  return Ok{};
}

}  // namespace

Context::Context() : surroundings(real_surroundings(transport)) {}

std::map<std::string, std::string> Context::child_variables() const {
  std::map<std::string, std::string> variables = {{"AWS_REGION", client->region()},
                                                  {"AWS_DEFAULT_REGION", client->region()}};
  if (!profile.empty()) variables["AWS_PROFILE"] = profile;
  return variables;
}

Result<std::unique_ptr<Context>> open_context(const Arguments& arguments, SettingsFirst first, Calls calls) {
  auto context = std::make_unique<Context>();
  context->json = arguments.has("--json");
  context->profile = arguments.value("--profile");
  std::FILE* stream = context->json ? stderr : stdout;
  context->speaker = Speaker(stream, ::isatty(context->json ? STDERR_FILENO : STDOUT_FILENO) == 1,
                             !context->surroundings.variable("NO_COLOR").empty());
  if (const Status filled = fill(*context, arguments, first); !filled) return filled.error();
  if (calls == Calls::kAws) {
    if (const Status right = check_region(*context); !right) return right.error();
  }
  context->names = names_of(context->settings);
  context->places.release_parameter = context->names.release_parameter;
  context->places.lock_parameter = context->names.lock_parameter;
  context->places.host = machine_name();
  context->places.is_alive = process_is_alive;
  context->places.unit = context->settings.application.name + ".service";
  return context;
}

std::optional<std::string> find_checkout() {
  std::error_code error;
  for (auto folder = std::filesystem::current_path(error); !error; folder = folder.parent_path()) {
    if (std::filesystem::is_directory(folder / "deploy" / "settings", error)) return folder.string();
    if (folder == folder.parent_path()) break;
  }
  return std::nullopt;
}

Result<std::optional<std::string>> read_parameter(Context& context, const std::string& name) {
  const auto response = context.client->call(
      json_call("ssm", "GetParameter", nlohmann::json{{"Name", name}, {"WithDecryption", true}}.dump()));
  if (!response) {
    if (response.error().code == "ParameterNotFound") return std::optional<std::string>();
    return Error{response.error().message};
  }
  const auto document = nlohmann::json::parse(response->body, nullptr, false);
  const auto pointer = nlohmann::json::json_pointer("/Parameter/Value");
  if (!document.is_object() || !document.contains(pointer) || !document.at(pointer).is_string()) {
    return Error{"GetParameter: the answer is not what AWS would say"};
  }
  return std::optional(document.at(pointer).get<std::string>());
}

Status write_parameter(Context& context, const std::string& name, const std::string& value) {
  const nlohmann::json body = {{"Name", name}, {"Value", value}, {"Type", "String"}, {"Overwrite", true}};
  const auto response = context.client->call(json_call("ssm", "PutParameter", body.dump()));
  if (!response) return Error{response.error().message};
  return Ok{};
}

Result<Tier> find_tier(Context& context, const std::string& url_asked_for) {
  Tier tier;
  auto found = ask<GroupFound>(context, DescribeGroup{context.names.tier});
  if (!found) return found.error();
  tier.group = std::move(found->group);
  tier.url = url_asked_for;
  while (!tier.url.empty() && tier.url.back() == '/') tier.url.pop_back();
  if (!tier.group || tier.group->target_groups.empty()) return tier;
  tier.target_group = tier.group->target_groups.front();
  const auto groups = context.client->call(
      query_call("elasticloadbalancing", "DescribeTargetGroups", {{"TargetGroupArns.member.1", tier.target_group}}));
  if (!groups) return Error{groups.error().message};
  const auto members = Xml::parse(groups->body).at("DescribeTargetGroupsResult").items("TargetGroups");
  const auto arns = members.empty() ? std::vector<Xml>() : members.front().items("LoadBalancerArns");
  if (arns.empty()) return tier;
  const auto balancers = context.client->call(query_call("elasticloadbalancing", "DescribeLoadBalancers",
                                                         {{"LoadBalancerArns.member.1", arns.front().text()}}));
  if (!balancers) return Error{balancers.error().message};
  const auto balancer = Xml::parse(balancers->body).at("DescribeLoadBalancersResult").items("LoadBalancers");
  if (balancer.empty()) return tier;
  tier.load_balancer = balancer.front().text("LoadBalancerName");
  tier.load_balancer_state = balancer.front().at("State").text("Code");
  if (!tier.url.empty()) return tier;
  const auto& settings = context.settings.load_balancer;
  const bool secure = !settings.certificate_arn.empty();
  const int port = secure ? settings.https_port : settings.http_port;
  const std::string own_name = balancer.front().text("DNSName");
  const std::string& name = settings.host_name.empty() ? own_name : settings.host_name;
  tier.url = fmt::format("{}://{}{}", secure ? "https" : "http", name,
                         // not a setting: what a URL means without a port
                         port == (secure ? 443 : 80) ? "" : fmt::format(":{}", port));
  // The certificate is of that name, but what has to be proved is this load balancer, wherever the name leads today.
  if (!settings.host_name.empty()) tier.connect_to = fmt::format("{}:{}", own_name, port);
  return tier;
}

Question question_about(const Context& context, const Tier& tier) {
  Question question;
  question.url = tier.url;
  question.connect_to = tier.connect_to;
  if (const auto source = VersionSource::parse(context.settings.application.version_from)) question.source = *source;
  question.path = context.settings.application.health_check_path;
  question.timeout = context.settings.verification.answer_timeout;
  return question;
}

}  // namespace rr::deploy
