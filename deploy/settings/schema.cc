#include "deploy/settings/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deploy/settings/fields.h"

namespace rr::deploy {
namespace {

using Json = nlohmann::ordered_json;

struct Section {
  std::string_view key;
  std::string_view meaning;
};

constexpr Section kSections[] = {
    {"application", "The program behind the load balancer."},
    {"unit", "How systemd keeps the program."},
    {"aws", "Account, region and network."},
    {"instance", "What an instance is."},
    {"auto_scaling_group", "How many instances there are and how they are replaced."},
    {"load_balancer", "The front."},
    {"target_group", "How instances are checked and left."},
    {"target_group.health_check", "The load balancer's check of an instance."},
    {"bake", "How an image is made."},
    {"release", "How long a release may take and what is kept of it."},
    {"verification", "When a release counts as good."},
    {"probe", "What is asked during a rollout."},
    {"alarms", "Thresholds that end a release, and those that only tell somebody."},
    {"logs", "The log group."},
    {"artifacts", "Where the fast lane's artifacts wait."},
    {"ci", "Who may do what from CI."},
    {"simulator", "The same tier on a laptop."},
};

std::string_view meaning_of_section(std::string_view key) {
  const auto* found =
      std::find_if(std::begin(kSections), std::end(kSections), [&](const Section& one) { return one.key == key; });
  RR_CHECK(found != std::end(kSections), "a section without a meaning");
  return found->meaning;
}

/// What is shown of a field: its meaning and what is right.
std::string describe(const Field& field) {
  std::string right = right_of(field);
  if (!right.empty()) right[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(right[0])));
  return field.meaning.empty() ? right + "." : field.meaning + " " + right + ".";
}

// --------------------------------------------------------------------------------------------------- JSON Schema

Json text_schema(const Field& field) {
  if (!field.choices.empty()) return {{"enum", field.choices}};
  return {{"type", "string"}, {"pattern", "^(" + field.pattern + ")$"}};
}

/// Makes the schema of a value by the type of its slot.
struct ValueSchema {
  const Field& field;
  Json operator()(const std::string*) const { return text_schema(field); }
  Json operator()(const int*) const { return {{"type", "integer"}, {"minimum", field.least}, {"maximum", field.most}}; }
  Json operator()(const Duration*) const {
    return {{"type", {"string", "number"}}, {"pattern", "^[0-9]+([.][0-9]+)?(ms|s|m|h)?$"}};
  }
  Json operator()(const bool*) const { return {{"type", "boolean"}}; }
  Json operator()(const std::vector<std::string>*) const { return {{"type", "array"}, {"items", text_schema(field)}}; }
};

Json section_schema(const std::string& prefix) {
  const std::vector<std::string> parts = parts_below(prefix);
  Json properties = Json::object();
  Settings empty;
  for (const std::string& part : parts) {
    if (const Field* field = find_field(prefix + part)) {
      properties[part] = std::visit(ValueSchema{*field}, field->slot(empty));
      properties[part]["description"] = describe(*field);
    } else {
      properties[part] = section_schema(prefix + part + ".");
      properties[part]["description"] = meaning_of_section(prefix + part);
    }
  }
  return {{"type", "object"}, {"additionalProperties", false}, {"required", parts}, {"properties", properties}};
}

// ----------------------------------------------------------------------------------------------------- Terraform

/// A string literal; "${" and "%{" would begin an interpolation.
std::string hcl_text(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') out += '\\';
    if ((c == '$' || c == '%') && text.substr(i + 1).starts_with('{')) out += c;
    out += c;
  }
  return out + '"';
}

struct TerraformType {
  std::string_view operator()(const std::string*) const { return "string"; }
  std::string_view operator()(const int*) const { return "number"; }
  std::string_view operator()(const Duration*) const { return "number"; }
  std::string_view operator()(const bool*) const { return "bool"; }
  std::string_view operator()(const std::vector<std::string>*) const { return "list(string)"; }
};

/// "object({ ... })" with `terraform fmt`'s alignment: equals signs stand below each other up to the next longer value.
std::string object_type(const std::string& prefix, std::size_t indent) {
  Settings empty;
  std::size_t widest = 0;
  const std::vector<std::string> parts = parts_below(prefix);
  for (const std::string& part : parts) {
    if (find_field(prefix + part) != nullptr) widest = std::max(widest, part.size());
  }
  const std::string margin(indent, ' ');
  std::string out = "object({\n";
  for (const std::string& part : parts) {
    const Field* field = find_field(prefix + part);
    if (field == nullptr) {
      out += fmt::format("{}  {} = {}\n", margin, part, object_type(prefix + part + ".", indent + 2));
    } else {
      out += fmt::format("{}  {:{}} = {}\n", margin, part, widest, std::visit(TerraformType{}, field->slot(empty)));
    }
  }
  return out + margin + "})";
}

/// The condition under which a value is in range.
struct Condition {
  const Field& field;
  std::string variable;
  std::string of_text(const std::string& expression) const {
    if (!field.choices.empty()) {
      return fmt::format("contains([\"{}\"], {})", fmt::join(field.choices, "\", \""), expression);
    }
    return fmt::format("can(regex({}, {}))", hcl_text("^(?:" + field.pattern + ")$"), expression);
  }
  std::string operator()(const std::string*) const { return of_text(variable); }
  std::string operator()(const int*) const {
    return between(std::to_string(field.least), std::to_string(field.most), true);
  }
  std::string operator()(const Duration*) const {
    return between(fmt::format("{}", static_cast<double>(field.least) / 1000),
                   fmt::format("{}", static_cast<double>(field.most) / 1000), field.whole_seconds);
  }
  std::string operator()(const bool*) const { return ""; }
  std::string operator()(const std::vector<std::string>*) const {
    return fmt::format("alltrue([for one in {} : {}])", variable, of_text("one"));
  }
  std::string between(const std::string& least, const std::string& most, bool whole) const {
    const std::string wholeness = whole ? fmt::format(" && floor({0}) == {0}", variable) : "";
    return fmt::format("{0} >= {1} && {0} <= {2}{3}", variable, least, most, wholeness);
  }
};

std::string validation(const Field& field) {
  Settings empty;
  const std::string condition = std::visit(Condition{field, "var." + field.key}, field.slot(empty));
  if (condition.empty()) return "";
  const std::string message =
      fmt::format("{}: ${{jsonencode(var.{})}}: {} is right.", field.key, field.key, right_of(field));
  // The message holds one interpolation, which hcl_text() would escape.
  std::string text = hcl_text(message);
  text.replace(text.find("$${"), 3, "${");
  return fmt::format("\n  validation {{\n    condition     = {}\n    error_message = {}\n  }}\n", condition, text);
}

std::string variable(const std::string& part, bool validated) {
  Settings empty;
  const Field* field = find_field(part);
  std::string type(field == nullptr ? object_type(part + ".", 2) : std::visit(TerraformType{}, field->slot(empty)));
  const std::string meaning(field == nullptr ? std::string(meaning_of_section(part)) : field->meaning);
  // terraform fmt starts a new column after a value of several lines.
  std::string out = fmt::format("variable \"{}\" {{\n  description = {}\n", part, hcl_text(meaning));
  out += fmt::format("  type{} = {}\n  nullable{} = false\n", std::string(field == nullptr ? 0 : 7, ' '), type,
                     std::string(field == nullptr ? 0 : 3, ' '));
  if (validated) {
    for (const Field& one : fields()) {
      if (one.key == part || one.key.rfind(part + ".", 0) == 0) out += validation(one);
    }
  }
  return out + "}\n";
}

std::string names_variable() {
  const auto names = listed(Names{});
  std::size_t widest = 0;
  for (const auto& [word, name] : names) widest = std::max(widest, word.size());
  std::string out =
      "variable \"names\" {\n  description = \"What everything is called, made of name and environment.\"\n"
      "  type = object({\n";
  for (const auto& [word, name] : names) out += fmt::format("    {:{}} = string\n", word, widest);
  return out + "  })\n  nullable = false\n}\n";
}

std::string variables(bool validated) {
  std::string out =
      "# Made from deploy/settings/fields.cc, which a test compares it with: do not edit. Values come from\n"
      "# `rr-deploy settings render --for terraform ENVIRONMENT`; times are in seconds.\n";
  for (const std::string& part : parts_below("")) out += "\n" + variable(part, validated);
  return out + "\n" + names_variable();
}

}  // namespace

std::string settings_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "An environment of the deployment (deploy/settings/ENVIRONMENT.yaml)"}};
  schema.update(section_schema(""));
  return schema.dump(2) + "\n";
}

std::string terraform_variables() { return variables(false); }

std::string terraform_validated_variables() { return variables(true); }

}  // namespace rr::deploy
