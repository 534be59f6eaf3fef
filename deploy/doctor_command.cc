// doctor: what would go wrong later, found out now. It changes nothing.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "deploy/aws/xml.h"
#include "deploy/bucket.h"
#include "deploy/commands.h"
#include "deploy/context.h"
#include "deploy/rollout/rollout.h"
#include "deploy/settings/partition.h"
#include "deploy/tool.h"

namespace rr::deploy {
namespace {

// Columns: those of a finding's mark and of what was looked at.
constexpr std::size_t kBesideTheCheck = 21;

enum class Finding { kGood, kWarning, kBad };

struct Check {
  std::string name;
  Finding finding;
  std::string text;
};

class Examination {
 public:
  explicit Examination(Context& context) : context_(context) {}
  std::vector<Check> run();

 private:
  void tools();
  bool identity();
  void network();
  void instance_type();
  std::optional<int> processors();
  void quota();
  void made_by_bootstrap(const std::string& what, const ApiCall& call, const std::string& otherwise);
  void roles();
  void state();
  void tier();
  void pass_role();
  std::string examined_principal();

  void add(const std::string& name, Finding finding, const std::string& text) {
    checks_.push_back({name, finding, text});
  }
  /// An answer, or a warning that it could not be had.
  std::optional<Xml> ask_xml(const std::string& name, const std::string& service, const std::string& action,
                             const Parameters& parameters);

  Context& context_;
  std::string account_;
  std::string arn_;
  std::vector<Check> checks_;
  std::set<std::string> zones_;
  bool zones_known_ = false;
};

std::optional<Xml> Examination::ask_xml(const std::string& name, const std::string& service, const std::string& action,
                                        const Parameters& parameters) {
  const auto response = context_.client->call(query_call(service, action, parameters));
  if (response) return Xml::parse(response->body);
  add(name, Finding::kWarning, "not checked: " + response.error().message);
  return std::nullopt;
}

void Examination::tools() {
  for (const Tool& tool : kTools) {
    const auto path = find_program(tool.name);
    add("tool", path ? Finding::kGood : Finding::kWarning,
        path ? fmt::format("{} is {}", tool.name, *path)
             : fmt::format("{} is not installed: {} need it", tool.name, tool.purpose));
  }
}

bool Examination::identity() {
  const auto found = ask<Identity>(context_, GetCallerIdentity{});
  if (!found) {
    add("credentials", Finding::kBad, found.error().message);
    return false;
  }
  account_ = found->account;
  arn_ = found->arn;
  const std::string& wanted = context_.settings.aws.account;
  const bool right = wanted.empty() || wanted == account_;
  add("credentials", right ? Finding::kGood : Finding::kBad,
      fmt::format("{} in account {}, region {}{}", arn_, account_, context_.client->region(),
                  right ? "" : "; the settings say " + wanted));
  return true;
}

void Examination::network() {
  const auto& aws = context_.settings.aws;
  Parameters filter = {{"Filter.1.Name", "default-for-az"}, {"Filter.1.Value.1", "true"}};
  if (!aws.vpc_id.empty()) filter = {{"Filter.1.Name", "vpc-id"}, {"Filter.1.Value.1", aws.vpc_id}};
  const auto subnets = ask_xml("network", "ec2", "DescribeSubnets", filter);
  zones_known_ = subnets.has_value();
  if (!subnets) return;
  for (const Xml& subnet : subnets->items("subnetSet")) {
    const bool wanted = aws.subnet_ids.empty() || std::find(aws.subnet_ids.begin(), aws.subnet_ids.end(),
                                                            subnet.text("subnetId")) != aws.subnet_ids.end();
    if (wanted) zones_.insert(subnet.text("availabilityZone"));
  }
  const bool enough = static_cast<int>(zones_.size()) >= context_.settings.aws.zones;
  add("network", enough ? Finding::kGood : Finding::kBad,
      fmt::format(
          "{} has subnets in {} zones ({}); {} are needed{}", aws.vpc_id.empty() ? "the default VPC" : aws.vpc_id,
          zones_.size(), fmt::join(zones_, ", "), aws.zones,
          enough || !aws.vpc_id.empty() ? ""
                                        : ": `aws ec2 create-default-vpc` makes one, or aws.vpc_id names another"));
}

void Examination::instance_type() {
  const auto& instance = context_.settings.instance;
  const auto offered = ask_xml(
      "instance type", "ec2", "DescribeInstanceTypeOfferings",
      {{"LocationType", "availability-zone"}, {"Filter.1.Name", "instance-type"}, {"Filter.1.Value.1", instance.type}});
  if (!offered) return;
  std::set<std::string> with_it;
  for (const Xml& offer : offered->items("instanceTypeOfferingSet")) with_it.insert(offer.text("location"));
  if (!zones_known_) zones_ = with_it;  // the best that is known
  std::set<std::string> missing = zones_;
  for (const std::string& zone : with_it) missing.erase(zone);
  const auto with = static_cast<int>(zones_.size()) - static_cast<int>(missing.size());
  const bool enough = with >= context_.settings.aws.zones;
  add("instance type",
      !enough           ? Finding::kBad
      : missing.empty() ? Finding::kGood
                        : Finding::kWarning,
      missing.empty() ? fmt::format("{} is offered in every zone", instance.type)
                      : fmt::format("{} is not offered in {}", instance.type, fmt::join(missing, ", ")));
}

/// Of one instance; nothing when it cannot be found out, and that is said.
std::optional<int> Examination::processors() {
  const std::string& type = context_.settings.instance.type;
  const auto described = ask_xml("quota", "ec2", "DescribeInstanceTypes", {{"InstanceType.1", type}});
  if (!described) return std::nullopt;
  const auto types = described->items("instanceTypeSet");
  const int count = types.empty() ? 0 : std::atoi(types.front().at("vCpuInfo").text("defaultVCpus").c_str());
  if (count > 0) return count;
  add("quota", Finding::kWarning, fmt::format("not checked: AWS does not say how many vCPUs a {} has", type));
  return std::nullopt;
}

/// "Running On-Demand Standard instances", in vCPUs, beside what the group needs at its largest, as in every release.
void Examination::quota() {
  const std::string& type = context_.settings.instance.type;
  // not a setting: the families of that quota, by its name at AWS ("A, C, D, H, I, M, R, T, Z")
  if (type.find_first_of("acdhimrtz") != 0 || type.rfind("inf", 0) == 0 || type.rfind("dl", 0) == 0 ||
      type.rfind("hpc", 0) == 0 || type.rfind("trn", 0) == 0 || type.rfind("mac", 0) == 0) {
    return add("quota", Finding::kWarning, fmt::format("not checked: {} has a quota of its own", type));
  }
  const auto each = processors();
  if (!each) return;
  const auto response = context_.client->call(json_call(
      "servicequotas", "GetServiceQuota", nlohmann::json{{"ServiceCode", "ec2"}, {"QuotaCode", "L-1216C47A"}}.dump()));
  if (!response) return add("quota", Finding::kWarning, "not checked: " + response.error().message);
  const auto document = nlohmann::json::parse(response->body, nullptr, false);
  const auto value = nlohmann::json::json_pointer("/Quota/Value");
  if (!document.is_object() || !document.contains(value) || !document.at(value).is_number()) {
    return add("quota", Finding::kWarning, "not checked: the answer is not what AWS would say");
  }
  const double allowed = document.at(value).get<double>();
  const int needed = *each * context_.settings.auto_scaling_group.max_size;
  add("quota", allowed >= needed ? Finding::kGood : Finding::kBad,
      fmt::format("{:.0f} vCPUs of standard instances are allowed; the group at its largest has {}", allowed, needed));
}

/// Whether IAM has what bootstrap makes.
void Examination::made_by_bootstrap(const std::string& what, const ApiCall& call, const std::string& otherwise) {
  const auto found = context_.client->call(call);
  if (found) {
    add("role", Finding::kGood, fmt::format("{} is there", what));
  } else if (found.error().code == "NoSuchEntity") {
    add("role", Finding::kWarning, fmt::format("{} is missing: `rr-deploy bootstrap` makes it{}", what, otherwise));
  } else {
    add("role", Finding::kWarning, "not checked: " + found.error().message);
  }
}

void Examination::roles() {
  const auto role = [&](const std::string& name, const std::string& otherwise) {
    made_by_bootstrap(name, query_call("iam", "GetRole", {{"RoleName", name}}), otherwise);
  };
  role("AWSServiceRoleForAutoScaling", ", else AWS at first use");
  role("AWSServiceRoleForElasticLoadBalancing", ", else AWS at first use");
  const std::string& profile = context_.names.bake_profile;
  made_by_bootstrap("instance profile " + profile,
                    query_call("iam", "GetInstanceProfile", {{"InstanceProfileName", profile}}), "; bake needs it");
  const CiSettings& ci = context_.settings.ci;
  if (ci.repository.empty()) return;  // without one there are no roles for CI
  for (const std::string* name : {&ci.plan_role, &ci.apply_role, &ci.bake_role, &ci.deploy_role})
    role(*name, ", and CI takes it");
}

void Examination::state() {
  const std::string bucket = in_account(context_.settings, account_).ci.state_bucket;
  const auto found = bucket_is_there(context_, bucket);
  if (!found) return add("state", Finding::kWarning, "not checked: " + found.error().message);
  add("state", *found ? Finding::kGood : Finding::kWarning,
      *found ? fmt::format("bucket {} holds Terraform's state", bucket)
             : fmt::format("bucket {} is not there for these credentials: `rr-deploy bootstrap` makes it", bucket));
}

void Examination::tier() {
  const auto found = find_tier(context_, "");
  if (!found) return add("tier", Finding::kWarning, "not checked: " + found.error().message);
  if (!found->group)
    return add("tier", Finding::kWarning,
               fmt::format("there is no group {} yet: `rr-deploy apply` makes it", context_.names.tier));
  const Group& group = *found->group;
  add("tier", is_numbered(group.version) ? Finding::kGood : Finding::kBad,
      fmt::format("group {} is on template version {}{}", group.name, group.version,
                  is_numbered(group.version) ? "" : ": it must be a number, or AWS refuses to roll back"));
  if (!group.suspended.empty())
    add("tier", Finding::kWarning, fmt::format("suspended: {}", fmt::join(group.suspended, ", ")));
}

/// Whoever calls; a session is examined by its role, whose path (SSO's roles have one) the session's name leaves out.
std::string Examination::examined_principal() {
  const std::string mark = ":assumed-role/";
  const std::size_t at = arn_.find(mark);
  if (at == std::string::npos) return arn_;
  const std::size_t from = at + mark.size();
  const std::string name = arn_.substr(from, arn_.find('/', from) - from);
  const auto found = context_.client->call(query_call("iam", "GetRole", {{"RoleName", name}}));
  const std::string whole = found ? Xml::parse(found->body).at("GetRoleResult").at("Role").text("Arn") : "";
  return whole.empty() ? role_arn(context_.client->region(), account_, name) : whole;
}

/// Auto Scaling looks whether the caller may pass the instances' role: the most common refusal of a first release.
void Examination::pass_role() {
  const std::string role = role_arn(context_.client->region(), account_, context_.names.tier);
  const std::string source = examined_principal();
  const auto told =
      ask_xml("PassRole", "iam", "SimulatePrincipalPolicy",
              {{"PolicySourceArn", source}, {"ActionNames.member.1", "iam:PassRole"}, {"ResourceArns.member.1", role}});
  if (!told) return;
  const auto results = told->at("SimulatePrincipalPolicyResult").items("EvaluationResults");
  const bool allowed = !results.empty() && results.front().text("EvalDecision") == "allowed";
  add("PassRole", allowed ? Finding::kGood : Finding::kBad,
      fmt::format("{} {} pass {}, which a release needs", source, allowed ? "may" : "may not", role));
}

std::vector<Check> Examination::run() {
  tools();
  if (!identity()) return checks_;
  network();
  instance_type();
  quota();
  roles();
  pass_role();
  state();
  tier();
  return checks_;
}

int run_doctor(const CommandSpec& command, const Arguments& arguments) {
  auto context = open_context(arguments);
  if (!context) return fail(command, kRefused, context.error().message);
  const auto checks = Examination(**context).run();
  nlohmann::ordered_json document = nlohmann::json::array();
  int bad = 0;
  for (const Check& check : checks) {
    bad += check.finding == Finding::kBad ? 1 : 0;
    const char* mark = check.finding == Finding::kGood ? "ok" : check.finding == Finding::kWarning ? "note" : "BAD";
    const Colour colour = check.finding == Finding::kGood      ? Colour::kGreen
                          : check.finding == Finding::kWarning ? Colour::kYellow
                                                               : Colour::kRed;
    document.push_back({{"check", check.name}, {"finding", mark}, {"text", check.text}});
    if ((*context)->json) continue;
    const std::string line = fmt::format("{:<5} {:<14} {}", mark, check.name, check.text);
    Speaker& speaker = (*context)->speaker;
    speaker.line(speaker.terminal() ? wrapped(line, kBesideTheCheck) : line, colour);
  }
  if ((*context)->json) fmt::print("{}\n", document.dump(2));
  return bad == 0 ? 0 : 1;
}

}  // namespace

std::vector<CommandSpec> doctor_commands() {
  CommandSpec c;
  c.name = "doctor";
  c.arguments = {"ENVIRONMENT"};
  c.summary =
      "Looks at tools, credentials, network, instance type, quota, roles and the tier, and says what is missing.";
  c.more = "Exit status: 0 nothing bad, 1 something is.";
  c.flags = with_common_flags({});
  c.examples = {{"rr-deploy doctor production", "before the first apply, and whenever something is odd"}};
  c.run = run_doctor;
  return {c};
}

}  // namespace rr::deploy
