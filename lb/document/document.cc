#include "lb/document/document.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace rr {
namespace {

/// Nobody writes a configuration deeper than that; a hostile one must not use up the stack.
constexpr int kMaximumDepth = 32;

/// The library quotes what it read last, which may be a secret: "invalid literal; last read: '...'; expected ...".
std::string without_quotation(std::string_view message) {
  const std::size_t begin = message.find("; last read: ");
  if (begin == std::string_view::npos) return std::string(message);
  const std::size_t end = message.rfind("; expected ");
  std::string text(message.substr(0, begin));
  if (end != std::string_view::npos && end > begin) text += message.substr(end);
  return text;
}

/// Builds the tree while the JSON is read, so that a key that comes twice is seen.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TreeBuilder(Document& root) { open_.push_back(&root); }

  bool null() override { return scalar(Document::Kind::kNull, "null"); }
  bool boolean(bool value) override { return scalar(Document::Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return scalar(Document::Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar(Document::Kind::kNumber, std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& text) override { return scalar(Document::Kind::kNumber, text); }
  bool string(string_t& value) override { return scalar(Document::Kind::kText, value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return begin(Document::Kind::kMap); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return begin(Document::Kind::kList); }
  bool end_array() override { return end(); }
  bool key(string_t& value) override {
    key_ = value;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    const std::string_view what = e.what();
    error_ = fmt::format("not JSON at byte {}: {}", position,
                         without_quotation(what.substr(std::min(what.find("] ") + 2, what.size()))));
    return false;
  }
  const std::string& error() const { return error_; }

 private:
  Document& place() {
    Document& parent = *open_.back();
    if (parent.kind == Document::Kind::kMap && begun_) {
      return parent.members.emplace_back(DocumentMember{key_, Document{}}).value;
    }
    if (parent.kind == Document::Kind::kList && begun_) return parent.items.emplace_back();
    return parent;  // the root
  }
  bool scalar(Document::Kind kind, std::string text) {
    Document& document = place();
    document.kind = kind;
    document.text = std::move(text);
    begun_ = true;
    return true;
  }
  bool begin(Document::Kind kind) {
    if (open_.size() > static_cast<std::size_t>(kMaximumDepth)) {
      error_ = "nested too deeply";
      return false;
    }
    Document& document = place();
    document.kind = kind;
    open_.push_back(&document);
    begun_ = true;
    return true;
  }
  bool end() {
    open_.pop_back();
    return true;
  }

  std::vector<Document*> open_;  // stays valid: a parent's vector grows only while none of its children is open
  std::string key_;
  bool begun_ = false;
  std::string error_;
};

bool is_number(const std::string& text) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && (digit(text[0]) || (text[0] == '-' && text.size() > 1)) &&
         std::all_of(text.begin() + 1, text.end(), [&](char c) { return digit(c) || c == '.'; });
}

Document::Kind scalar_kind(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return Document::Kind::kText;  // quoted
  if (text == "true" || text == "false") return Document::Kind::kBoolean;
  if (text == "null" || text == "~" || text.empty()) return Document::Kind::kNull;
  return is_number(text) ? Document::Kind::kNumber : Document::Kind::kText;
}

/// How many bytes from the beginning are well-formed UTF-8 (RFC 3629 section 4): all of them, or up to the first that
/// is not.
std::size_t well_formed_utf8(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  std::size_t at = 0;
  while (at < text.size()) {
    const unsigned lead = byte(at);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    const std::size_t more = lead >= 0xC2 && lead <= 0xDF   ? 1
                             : lead >= 0xE0 && lead <= 0xEF ? 2
                             : lead >= 0xF0 && lead <= 0xF4 ? 3
                                                            : 0;
    if (more == 0) return at;
    // The second byte's range leaves out overlong forms, surrogates, and what is beyond U+10FFFF.
    const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(at + 1) < least || byte(at + 1) > most) return at;
    for (std::size_t i = 2; i <= more; ++i) {
      if (byte(at + i) < 0x80 || byte(at + i) > 0xBF) return at;
    }
    at += more + 1;
  }
  return at;
}

/// yaml-cpp makes single bytes of the escapes \N and \_ instead of their characters.
const std::string& text_of(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (well_formed_utf8(text) < text.size()) throw YAML::Exception(node.Mark(), "text that is not UTF-8");
  return text;
}

bool convert(const YAML::Node& node, int depth, Document& out) {
  if (depth > kMaximumDepth) return false;
  out.line = node.Mark().line + 1;
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return true;
    case YAML::NodeType::Scalar:
      out.kind = scalar_kind(node);
      out.text = text_of(node);
      return true;
    case YAML::NodeType::Sequence:
      out.kind = Document::Kind::kList;
      for (const YAML::Node& item : node) {
        if (!convert(item, depth + 1, out.items.emplace_back())) return false;
      }
      return true;
    case YAML::NodeType::Map:
      out.kind = Document::Kind::kMap;
      for (const auto& member : node) {
        const std::string key = member.first.IsScalar() ? text_of(member.first) : "?";
        Document& value = out.members.emplace_back(DocumentMember{key, Document{}}).value;
        if (!convert(member.second, depth + 1, value)) return false;
        value.line = std::max(value.line, member.first.Mark().line + 1);
        if (value.kind != Document::Kind::kMap && value.kind != Document::Kind::kList) {
          value.line = member.first.Mark().line + 1;
        }
      }
      return true;
  }
  return true;
}

}  // namespace

const Document* Document::member(std::string_view key) const {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

bool Document::operator==(const Document& other) const {
  return kind == other.kind && text == other.text && items == other.items && members == other.members;
}

std::string_view to_string(Document::Kind kind) {
  switch (kind) {
    case Document::Kind::kNull:
      return "nothing";
    case Document::Kind::kBoolean:
      return "a boolean";
    case Document::Kind::kNumber:
      return "a number";
    case Document::Kind::kText:
      return "text";
    case Document::Kind::kList:
      return "a list";
    case Document::Kind::kMap:
      return "a map";
  }
  return "";
}

Result<Document> parse_json_document(std::string_view text) {
  Document root;
  TreeBuilder builder(root);
  if (!nlohmann::json::sax_parse(text, &builder)) {
    return Error{builder.error().empty() ? "not JSON" : builder.error()};
  }
  return root;
}

Result<Document> parse_yaml_document(std::string_view text) {
  // yaml-cpp lets other bytes through, and what is read here is shown as JSON, which cannot have them.
  if (const std::size_t good = well_formed_utf8(text); good < text.size()) {
    return Error{fmt::format("{}: byte {:#04x} is not UTF-8", std::count(text.begin(), text.begin() + good, '\n') + 1,
                             static_cast<unsigned char>(text[good]))};
  }
  try {
    Document root;
    if (!convert(YAML::Load(std::string(text)), 0, root)) return Error{"1: nested too deeply"};
    return root;
  } catch (const YAML::Exception& e) {
    return Error{fmt::format("{}: {}", e.mark.line + 1, e.msg)};
  }
}

}  // namespace rr
