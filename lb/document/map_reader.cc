#include "lb/document/map_reader.h"

#include <fmt/format.h>

namespace rr {

MapReader::MapReader(const Document& map, std::string path, std::string_view file, ConfigErrors& errors)
    : map_(map), path_(std::move(path)), file_(file), errors_(errors) {
  is_map_ = map.kind == Document::Kind::kMap;
  if (!is_map_)
    complain(path_.empty() ? "configuration" : path_, map, fmt::format("is {}: write a map", to_string(map.kind)));
}

/// What nobody asked for is unknown; what comes twice could be meant either way.
MapReader::~MapReader() {
  std::set<std::string_view> seen;
  for (const auto& [key, value] : map_.members) {
    if (!seen.insert(key).second) complain(key_path(key), value, "comes twice: write it once");
    if (known_.contains(key)) continue;
    complain(key_path(key), value, fmt::format("is not a key here: {}", fmt::join(known_, ", ")));
  }
}

const Document* MapReader::get(const char* key) {
  known_.insert(key);
  return map_.member(key);
}

const Document* MapReader::require(const char* key) {
  const Document* value = get(key);
  if (value == nullptr && is_map_) complain(key_path(key), map_, "is missing");
  return value;
}

void MapReader::text(const char* key, std::string& out) {
  const Document* value = get(key);
  if (value == nullptr) return;
  if (!is_scalar(*value)) return wrong(key, *value, "write text");
  out = value->text;
}

void MapReader::boolean(const char* key, bool& out) {
  const Document* value = get(key);
  if (value == nullptr) return;
  if (value->kind != Document::Kind::kBoolean) return wrong(key, *value, "write true or false");
  out = value->text == "true";
}

void MapReader::duration(const char* key, Duration& out) {
  const Document* value = get(key);
  if (value == nullptr) return;
  if (!is_scalar(*value)) return wrong(key, *value, "write seconds (10, 0.5) or a number with ms, s, m or h");
  const auto parsed = parse_duration(value->text);
  if (!parsed) return complain(key_path(key), *value, parsed.error().message);
  out = *parsed;
}

void MapReader::number_or_off(const char* key, std::optional<int>& out) {
  const Document* value = get(key);
  if (value == nullptr) return;
  if (value->kind == Document::Kind::kText && value->text == "off") return out.reset();
  int number = 0;
  const char* end = value->text.data() + value->text.size();
  const auto [stop, error] = std::from_chars(value->text.data(), end, number);
  if (!is_scalar(*value) || error != std::errc() || stop != end) {
    return wrong(key, *value, "write a whole number or off");
  }
  out = number;
}

void MapReader::texts(const char* key, std::vector<std::string>& out) {
  list(key, [&](const Document& item, const std::string& path) {
    if (is_scalar(item)) {
      out.push_back(item.text);
    } else {
      complain(path, item, fmt::format("{}: write text", to_string(item.kind)));
    }
  });
}

void MapReader::list(const char* key, const std::function<void(const Document&, const std::string&)>& each) {
  const Document* value = get(key);
  if (value == nullptr) return;
  if (value->kind != Document::Kind::kList) return wrong(key, *value, "write a list");
  for (std::size_t i = 0; i < value->items.size(); ++i) each(value->items[i], fmt::format("{}[{}]", key_path(key), i));
}

void MapReader::map(const char* key, const std::function<void(MapReader&)>& read) {
  const Document* value = get(key);
  if (value == nullptr) return;
  MapReader inner(*this, *value, key_path(key));
  read(inner);
}

bool MapReader::is_scalar(const Document& value) {
  return value.kind == Document::Kind::kText || value.kind == Document::Kind::kNumber ||
         value.kind == Document::Kind::kBoolean;
}

std::string MapReader::key_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void MapReader::complain(const std::string& key, const Document& at, const std::string& what) {
  std::string place;
  if (!file_.empty()) place = at.line > 0 ? fmt::format("{}:{}: ", file_, at.line) : fmt::format("{}: ", file_);
  errors_.push_back(fmt::format("{}{}: {}", place, key, what));
}

void MapReader::wrong(const char* key, const Document& value, const char* right) {
  const std::string shown = is_scalar(value) ? "'" + value.text + "'" : std::string(to_string(value.kind));
  complain(key_path(key), value, fmt::format("{}: {}", shown, right));
}

}  // namespace rr
