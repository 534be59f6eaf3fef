#include "lb/document/field_path.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace rr {
namespace {

constexpr std::array<std::string_view, 3> kNames{"name", "target_group", "id"};

bool is_named(const Document& item, std::string_view name) {
  if (item.kind == Document::Kind::kText) return item.text == name;
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view key) {
    const Document* member = item.member(key);
    return member != nullptr && member->text == name;
  });
}

bool has_no_name(const Document& item) {
  return std::none_of(kNames.begin(), kNames.end(), [&](std::string_view key) { return item.member(key) != nullptr; });
}

/// Those that the step may mean, the likeliest first.
std::vector<const Document*> find_items(const Document& list, std::string_view name) {
  std::vector<const Document*> items;
  for (auto item = list.items.rbegin(); item != list.items.rend(); ++item) {
    if (is_named(*item, name)) items.push_back(&*item);
  }
  if (!items.empty()) return items;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size() && number < list.items.size()) {
    return {&list.items[number]};
  }
  const auto unnamed = std::find_if(list.items.begin(), list.items.end(), [](const Document& item) {
    return item.kind == Document::Kind::kMap && has_no_name(item);
  });
  if (unnamed != list.items.end()) items.push_back(&*unnamed);
  return items;
}

/// Takes the next step off a path: "name" or "[name]". A name in brackets may hold dots, and brackets in pairs.
std::string_view take_step(std::string_view& path, bool& in_brackets) {
  in_brackets = path.starts_with('[');
  std::size_t size = 0;
  int depth = 0;
  for (; size < path.size(); ++size) {
    if (path[size] == '[' && (in_brackets || size > 0)) {
      if (!in_brackets) break;
      ++depth;
    }
    if (path[size] == ']' && --depth == 0) break;
    if (path[size] == '.' && !in_brackets) break;
  }
  const std::string_view step = path.substr(in_brackets ? 1 : 0, in_brackets ? size - 1 : size);
  path.remove_prefix(std::min(path.size(), size + (in_brackets ? 1 : 0)));
  if (path.starts_with('.')) path.remove_prefix(1);
  return step;
}

}  // namespace

FieldPlace find_field(const Document& root, std::string_view field) {
  if (field.empty()) return {&root, true};
  bool in_brackets = false;
  const std::string_view step = take_step(field, in_brackets);
  std::vector<const Document*> meant;
  if (in_brackets) {
    meant = find_items(root, step);
  } else if (const Document* member = root.member(step)) {
    meant = {member};
  }
  FieldPlace nearest{&root, false};
  for (const Document* one : meant) {
    const FieldPlace place = find_field(*one, field);
    if (place.found) return place;
    if (nearest.nearest == &root) nearest = place;
  }
  return nearest;
}

}  // namespace rr
