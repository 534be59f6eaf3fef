#pragma once
// A configuration text as a tree, whether it came as YAML or as JSON.
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/result.h"

namespace rr {

struct DocumentMember;

/// One value of a document with the place where it stands.
struct Document {
  enum class Kind { kNull, kBoolean, kNumber, kText, kList, kMap };

  Kind kind = Kind::kNull;
  std::string text;  // of a scalar, as written
  int line = 0;      // 0: unknown (JSON from the wire)
  std::vector<Document> items;
  std::vector<DocumentMember> members;  // a key may come twice; the reader refuses it

  const Document* member(std::string_view key) const;
  /// Says the same, wherever it stands.
  bool operator==(const Document& other) const;
};

struct DocumentMember {
  std::string key;
  Document value;
  bool operator==(const DocumentMember&) const = default;
};

std::string_view to_string(Document::Kind kind);  // "a list"

/// The error says where and what, without the name of the file.
Result<Document> parse_json_document(std::string_view text);
Result<Document> parse_yaml_document(std::string_view text);

}  // namespace rr
