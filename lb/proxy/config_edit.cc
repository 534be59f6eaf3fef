#include "lb/proxy/config_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "lb/document/field_path.h"
#include "lb/document/json_document.h"
#include "lb/policy/group_use.h"
#include "lb/policy/setting_errors.h"
#include "lb/proxy/partial_edit.h"

namespace rr {
namespace {

using Json = nlohmann::ordered_json;

/// Never shown, and kept where a whole load balancer is written anew without it.
constexpr const char* kSecret = "cookie_key";

// ---------------------------------------------------------------------------------------------------- where it is

/// One kind of list: what its elements are called, and what AWS says when there is none of that name, or one already.
struct ListKind {
  const char* list;
  const char* identity;
  const char* noun;
  const char* not_found;
  const char* taken;
};
constexpr ListKind kBalancers{"load_balancers", "name", "load balancer", "LoadBalancerNotFound",
                              "DuplicateLoadBalancerName"};
constexpr ListKind kListeners{"listeners", "name", "listener", "ListenerNotFound", "DuplicateListener"};
constexpr ListKind kRules{"rules", "priority", "rule", "RuleNotFound", "PriorityInUse"};
constexpr ListKind kGroups{"target_groups", "name", "target group", "TargetGroupNotFound", "DuplicateTargetGroupName"};

std::string identity_of(const Json& item, const ListKind& kind) {
  const auto found = item.find(kind.identity);
  if (found == item.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

Json::iterator find_item(Json& list, const ListKind& kind, const std::string& name) {
  return std::find_if(list.begin(), list.end(), [&](const Json& item) { return identity_of(item, kind) == name; });
}

EditFailure not_found(const Json& list, const ListKind& kind, const std::string& name) {
  std::vector<std::string> names;
  for (const Json& item : list) names.push_back(identity_of(item, kind));
  const std::string there = names.empty() ? "there is none" : fmt::format("there is {}", fmt::join(names, ", "));
  return failure_of(404, kind.not_found, kind.list, name,
                    fmt::format("{} is not a {} here: {}", shown(name), kind.noun, there));
}

/// A list of the configuration's tree, and the element that a path names in it ("": the list itself).
struct Spot {
  Json* list;
  const ListKind* kind;
  std::string name;
};

/// Goes from a list into one of its elements' own lists, which is made where it is not written.
std::optional<EditFailure> descend(Spot& spot, const ListKind& inner, const std::string& name) {
  const auto item = find_item(*spot.list, *spot.kind, spot.name);
  if (item == spot.list->end()) return not_found(*spot.list, *spot.kind, spot.name);
  if (!item->contains(inner.list)) (*item)[inner.list] = Json::array();
  spot = {&(*item)[inner.list], &inner, name};
  return std::nullopt;
}

Result<Spot, EditFailure> find_spot(Json& root, const ConfigPath& path) {
  Spot spot{&root["load_balancers"], &kBalancers, path.load_balancer};
  std::optional<EditFailure> failure;
  switch (path.part) {
    case ConfigPart::kLoadBalancers:
    case ConfigPart::kLoadBalancer:
    case ConfigPart::kZonalShift:
      break;
    case ConfigPart::kListeners:
    case ConfigPart::kListener:
      failure = descend(spot, kListeners, path.of_it);
      break;
    case ConfigPart::kRules:
    case ConfigPart::kRule:
    case ConfigPart::kRulePriorities:
      failure = descend(spot, kListeners, path.of_it);
      if (!failure) failure = descend(spot, kRules, path.of_that);
      break;
    case ConfigPart::kTargetGroups:
    case ConfigPart::kTargetGroup:
    case ConfigPart::kTargets:
    case ConfigPart::kTarget:
      failure = descend(spot, kGroups, path.of_it);
      break;
  }
  if (failure) return *failure;
  return spot;
}

// --------------------------------------------------------------------------------------------------- what is asked

/// The path of the first key that comes twice; empty when there is none.
std::string find_key_twice(const Document& document, const std::string& path) {
  std::vector<std::string_view> seen;
  for (const DocumentMember& member : document.members) {
    const std::string at = path.empty() ? member.key : path + "." + member.key;
    if (std::find(seen.begin(), seen.end(), member.key) != seen.end()) return at;
    seen.push_back(member.key);
    if (std::string found = find_key_twice(member.value, at); !found.empty()) return found;
  }
  for (std::size_t i = 0; i < document.items.size(); ++i) {
    if (std::string found = find_key_twice(document.items[i], fmt::format("{}[{}]", path, i)); !found.empty()) {
      return found;
    }
  }
  return "";
}

Result<Json, EditFailure> parse_object(std::string_view body) {
  const auto document = parse_json_document(body);
  if (!document) return failure_of(400, "ValidationError", "", nullptr, document.error().message);
  if (document->kind != Document::Kind::kMap) {
    return failure_of(400, "ValidationError", "", nullptr,
                      fmt::format("the body is {}: write an object", to_string(document->kind)));
  }
  if (const std::string twice = find_key_twice(*document, ""); !twice.empty()) {
    return failure_of(400, "ValidationError", twice, nullptr, "comes twice: write it once");
  }
  return Json::parse(body);
}

/// RFC 7396, but that an action is replaced: half of a forward makes no redirect.
void merge(Json& into, const Json& patch) {
  if (!patch.is_object()) {
    into = patch;
    return;
  }
  if (!into.is_object()) into = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      into.erase(key);
    } else if (key == "action" || key == "default_action") {
      into[key] = value;
    } else {
      merge(into[key], value);
    }
  }
}

/// The name as its list writes it: a priority is a number.
Json identity_json(const ListKind& kind, const std::string& name) {
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return &kind == &kRules && whole ? Json(number) : Json(name);
}

EditFailure renames(const ListKind& kind, const std::string& name, const std::string& wanted) {
  return failure_of(400, "ValidationError", kind.identity, wanted,
                    fmt::format("{} is not that of the path, {}: a {} keeps its {}", shown(wanted), shown(name),
                                kind.noun, kind.identity));
}

// ------------------------------------------------------------------------------------------------------ the change

struct Changed {
  bool created = false;
  std::string name;  // of what there is now; empty: nothing
};

Result<Changed, EditFailure> add(const Spot& spot, Json body) {
  const std::string name = identity_of(body, *spot.kind);
  if (name.empty()) {
    return failure_of(400, "ValidationError", spot.kind->identity, nullptr,
                      fmt::format("is missing: a {} is known by it", spot.kind->noun));
  }
  if (find_item(*spot.list, *spot.kind, name) != spot.list->end()) {
    return failure_of(
        409, spot.kind->taken, spot.kind->identity, body[spot.kind->identity],
        fmt::format("{} is taken: PUT or PATCH changes the {} that has it", shown(name), spot.kind->noun));
  }
  spot.list->push_back(std::move(body));
  return Changed{true, name};
}

Result<Changed, EditFailure> put(const Spot& spot, Json body) {
  const std::string wanted = identity_of(body, *spot.kind);
  if (wanted.empty()) body[spot.kind->identity] = identity_json(*spot.kind, spot.name);
  if (!wanted.empty() && wanted != spot.name) return renames(*spot.kind, spot.name, wanted);
  const auto item = find_item(*spot.list, *spot.kind, spot.name);
  if (item == spot.list->end()) {
    spot.list->push_back(std::move(body));
    return Changed{true, spot.name};
  }
  if (item->contains(kSecret) && !body.contains(kSecret)) body[kSecret] = (*item)[kSecret];
  *item = std::move(body);
  return Changed{false, spot.name};
}

Result<Changed, EditFailure> patch(const Spot& spot, const Json& body) {
  const auto item = find_item(*spot.list, *spot.kind, spot.name);
  if (item == spot.list->end()) return not_found(*spot.list, *spot.kind, spot.name);
  const std::string wanted = identity_of(body, *spot.kind);
  const bool moves = !wanted.empty() && wanted != spot.name;
  if (moves && spot.kind != &kRules) return renames(*spot.kind, spot.name, wanted);
  if (moves && find_item(*spot.list, *spot.kind, wanted) != spot.list->end()) {
    return failure_of(409, spot.kind->taken, spot.kind->identity, body[spot.kind->identity],
                      fmt::format("Priority '{}' is currently in use: PUT rule_priorities exchanges two", wanted));
  }
  merge(*item, body);
  return Changed{false, moves ? wanted : spot.name};
}

Result<Changed, EditFailure> remove(const Spot& spot) {
  const auto item = find_item(*spot.list, *spot.kind, spot.name);
  if (item == spot.list->end()) return not_found(*spot.list, *spot.kind, spot.name);
  spot.list->erase(item);
  return Changed{};
}

Result<Changed, EditFailure> change(const Spot& spot, const EditRequest& request) {
  if (request.method == "DELETE") return remove(spot);
  auto body = parse_object(request.body);
  if (!body) return body.error();
  if (request.method == "POST") return add(spot, std::move(*body));
  if (request.method == "PUT") return put(spot, std::move(*body));
  return patch(spot, *body);
}

/// The path of what the change left behind.
ConfigPath path_of(ConfigPath path, const Changed& changed) {
  switch (path.part) {
    case ConfigPart::kLoadBalancers:
      path.part = ConfigPart::kLoadBalancer;
      path.load_balancer = changed.name;
      break;
    case ConfigPart::kListeners:
      path.part = ConfigPart::kListener;
      path.of_it = changed.name;
      break;
    case ConfigPart::kTargetGroups:
      path.part = ConfigPart::kTargetGroup;
      path.of_it = changed.name;
      break;
    case ConfigPart::kRules:
    case ConfigPart::kRule:
      path.part = ConfigPart::kRule;
      path.of_that = changed.name;
      break;
    case ConfigPart::kLoadBalancer:
    case ConfigPart::kListener:
    case ConfigPart::kRulePriorities:
    case ConfigPart::kTargetGroup:
    case ConfigPart::kTargets:
    case ConfigPart::kTarget:
    case ConfigPart::kZonalShift:
      break;
  }
  return path;
}

/// A group that an action forwards to is not deleted under it.
std::optional<EditFailure> group_in_use(const NodeConfig& config, const EditRequest& request) {
  if (request.method != "DELETE" || request.path.part != ConfigPart::kTargetGroup) return std::nullopt;
  for (const LoadBalancerConfig& balancer : config.load_balancers) {
    if (balancer.settings.name != request.path.load_balancer) continue;
    if (!forwards_to(balancer.settings, request.path.of_it)) continue;
    return failure_of(409, "ResourceInUse", "target_groups", request.path.of_it,
                      fmt::format("Target group {} is currently in use by a listener or a rule: change these first",
                                  shown(request.path.of_it)));
  }
  return std::nullopt;
}

Result<Edit, EditFailure> edit_tree(const NodeConfig& config, const EditRequest& request) {
  if (auto in_use = group_in_use(config, request)) return *in_use;
  Json root = to_json(config, Secrets::kWritten);
  const auto spot = find_spot(root, request.path);
  if (!spot) return spot.error();
  const auto changed = change(*spot, request);
  if (!changed) return changed.error();
  const Document document = to_document(root);
  auto read = read_desired(document);
  if (!read) return EditFailure{400, with_fields(document, read.error())};
  return Edit{std::move(*read), changed->created, path_of(request.path, *changed)};
}

/// The value of a field for an answer, as JSON; empty where the message says what is wrong with it.
std::string value_at(const Document& root, const std::string& field) {
  if (field.empty() || field.ends_with(kSecret)) return "";
  const FieldPlace place = find_field(root, field);
  if (!place.found) return "";
  switch (place.nearest->kind) {
    case Document::Kind::kText:
      return Json(place.nearest->text).dump(-1, ' ', false, Json::error_handler_t::replace);
    case Document::Kind::kNumber:
    case Document::Kind::kBoolean:
      return place.nearest->text;
    case Document::Kind::kNull:
    case Document::Kind::kList:
    case Document::Kind::kMap:
      break;
  }
  return "";
}

}  // namespace

std::string_view code_in(std::string_view message) {
  std::string_view code;
  for (std::size_t open = message.find('('); open != std::string_view::npos; open = message.find('(', open + 1)) {
    const std::string_view word = message.substr(open + 1, message.find(')', open) - open - 1);
    const bool letters =
        std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
    constexpr std::size_t kShortest = 6;
    if (letters && word.size() >= kShortest && word.front() >= 'A' && word.front() <= 'Z') code = word;
  }
  return code;
}

std::vector<ApiError> with_fields(const Document& read, const ConfigErrors& lines) {
  std::vector<ApiError> errors;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(": ");
    const std::string field = colon == std::string::npos ? "" : line.substr(0, colon);
    errors.push_back({"ValidationError", field, value_at(read, field), line});
  }
  return errors;
}

std::vector<ApiError> with_fields(std::string_view body, const ConfigErrors& lines) {
  if (const auto document = parse_json_document(body)) return with_fields(*document, lines);
  std::vector<ApiError> errors;
  for (const std::string& line : lines) errors.push_back({"ValidationError", "", "", line});
  return errors;
}

std::vector<ApiError> with_values(const NodeConfig& config, const std::vector<SettingError>& errors) {
  const Document document = to_document(to_json(config));
  std::vector<ApiError> found;
  for (const SettingError& error : errors) {
    const std::string_view code = code_in(error.message);
    found.push_back({std::string(code.empty() ? "ValidationError" : code), error.field, value_at(document, error.field),
                     error.message});
  }
  return found;
}

Result<Edit, EditFailure> edit(const NodeConfig& config, const EditRequest& request) {
  switch (request.path.part) {
    case ConfigPart::kTargets:
    case ConfigPart::kTarget:
    case ConfigPart::kRulePriorities:
    case ConfigPart::kZonalShift:
      return edit_in_place(config, request);
    case ConfigPart::kLoadBalancers:
    case ConfigPart::kLoadBalancer:
    case ConfigPart::kListeners:
    case ConfigPart::kListener:
    case ConfigPart::kRules:
    case ConfigPart::kRule:
    case ConfigPart::kTargetGroups:
    case ConfigPart::kTargetGroup:
      return edit_tree(config, request);
  }
  return EditFailure{};
}

Result<Json, EditFailure> show(const NodeConfig& config, const ConfigPath& path, Time now) {
  if (path.part == ConfigPart::kZonalShift) return show_zonal_shift(config, path, now);
  Json root = to_json(config);
  const auto spot = find_spot(root, path);
  if (!spot) return spot.error();
  if (spot->name.empty()) {
    Json list = Json::object();
    list[spot->kind->list] = std::move(*spot->list);
    return list;
  }
  const auto item = find_item(*spot->list, *spot->kind, spot->name);
  if (item == spot->list->end()) return not_found(*spot->list, *spot->kind, spot->name);
  return *item;
}

}  // namespace rr
