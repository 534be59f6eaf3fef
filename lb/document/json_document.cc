#include "lb/document/json_document.h"

#include <nlohmann/json.hpp>

namespace rr {

Document to_document(const nlohmann::ordered_json& json) {
  Document document;
  if (json.is_object()) {
    document.kind = Document::Kind::kMap;
    for (const auto& [key, value] : json.items()) document.members.push_back({key, to_document(value)});
  } else if (json.is_array()) {
    document.kind = Document::Kind::kList;
    for (const auto& item : json) document.items.push_back(to_document(item));
  } else if (json.is_string()) {
    document.kind = Document::Kind::kText;
    document.text = json.get<std::string>();
  } else if (!json.is_null()) {
    document.kind = json.is_boolean() ? Document::Kind::kBoolean : Document::Kind::kNumber;
    document.text = json.dump();
  } else {
    document.text = "null";
  }
  return document;
}

}  // namespace rr
