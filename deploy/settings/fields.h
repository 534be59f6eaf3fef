#pragma once
// The table of all settings: key, meaning, range, and where the value lives. The reader, the schema, Terraform's
// variables and the renderers are made from it, so none of them can know a key that the others do not.
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "deploy/settings/settings.h"

namespace rr::deploy {

/// Where a setting's value is, by its type.
using Slot = std::variant<std::string*, int*, Duration*, bool*, std::vector<std::string>*>;

struct Field {
  std::string key;  // "target_group.health_check.interval"
  std::string meaning;
  Slot (*slot)(Settings&);
  /// Of a number; of a duration in milliseconds.
  long least = 0;
  long most = 0;
  /// Of a text or of each item of a list: a regular expression for the whole (as RE2, ECMA-262 and Terraform read it).
  std::string pattern{};
  /// What would be right, in words, where a pattern cannot say it.
  std::string right{};
  /// Nothing else is right; with it a text or a list item needs no pattern.
  std::vector<std::string> choices{};
  /// A duration that the receiver takes in whole seconds.
  bool whole_seconds = false;
};

/// In the order of the files.
const std::vector<Field>& fields();

/// The keys one level below `prefix` ("" or "target_group."), in the table's order, without repetition.
std::vector<std::string> parts_below(std::string_view prefix);

/// The field with that key, or null where a section has it.
const Field* find_field(std::string_view key);

/// What would be right: "1 to 65535", "one of x86_64, arm64", "a region such as eu-west-1".
std::string right_of(const Field& field);

/// A setting's value; the variant of pointers to const is not worth its second table.
Slot slot_of(const Field& field, const Settings& settings);

}  // namespace rr::deploy
