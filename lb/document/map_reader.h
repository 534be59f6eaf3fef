#pragma once
// Reads the members of one map of a document and complains about each that is wrong, missing, unknown or there twice.
#include <charconv>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lb/base/result.h"
#include "lb/base/time.h"
#include "lb/document/document.h"

namespace rr {

/// Every error in one go, each a line: "file:line: key: value: what would be right".
using ConfigErrors = std::vector<std::string>;

/// Lives while one map is read; complains about the keys that nobody asked for when it ends. Where a value is wrong the
/// variable keeps what it had.
class MapReader {
 public:
  /// `path` names the map in messages ("load_balancers[0]"; "" is the whole document), `file` may be empty. All but
  /// `path` must outlive the reader.
  MapReader(const Document& map, std::string path, std::string_view file, ConfigErrors& errors);
  /// Of a map inside this one's: same file, same list of errors.
  MapReader(const MapReader& outer, const Document& map, std::string path)
      : MapReader(map, std::move(path), outer.file_, outer.errors_) {}
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;
  ~MapReader();

  const Document* get(const char* key);
  const Document* require(const char* key);

  void text(const char* key, std::string& out);
  void boolean(const char* key, bool& out);
  void duration(const char* key, Duration& out);
  template <class Number>
  void number(const char* key, Number& out) {
    if (const Document* value = get(key)) read_number(key, *value, out);
  }
  /// A number, or "off".
  void number_or_off(const char* key, std::optional<int>& out);
  void texts(const char* key, std::vector<std::string>& out);
  /// Each item with its path, "targets[2]".
  void list(const char* key, const std::function<void(const Document&, const std::string&)>& each);
  /// A map inside this one: `read` is given its reader.
  void map(const char* key, const std::function<void(MapReader&)>& read);
  /// A value of its own syntax: `parse` takes text and gives a Result.
  template <class Parse, class Out>
  void parsed(const char* key, Parse parse, Out& out) {
    const Document* value = get(key);
    if (value == nullptr) return;
    if (!is_scalar(*value)) return wrong(key, *value, "write text");
    auto result = parse(value->text);
    if (!result) return complain(key_path(key), *value, result.error().message);
    out = std::move(*result);
  }
  /// One of an enumeration: `parse` takes text and gives an optional, `choices` is what the message offers.
  template <class Parse, class Out>
  void choice(const char* key, Parse parse, const char* choices, Out& out) {
    parsed(
        key,
        [&](const std::string& text) -> Result<Out> {
          const auto value = parse(text);
          if (!value) return Error{"'" + text + "': " + choices};
          return *value;
        },
        out);
  }
  template <class Number>
  void read_number(const char* key, const Document& value, Number& out) {
    Number number{};
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (!is_scalar(value) || error != std::errc() || stop != end) return wrong(key, value, "write a whole number");
    out = number;
  }

  static bool is_scalar(const Document& value);
  const Document& document() const { return map_; }
  const std::string& path() const { return path_; }
  std::string key_path(std::string_view key) const;
  /// "file:line: key: what is wrong"
  void complain(const std::string& key, const Document& at, const std::string& what);

 private:
  void wrong(const char* key, const Document& value, const char* right);

  const Document& map_;
  std::string path_;
  std::string_view file_;
  ConfigErrors& errors_;
  bool is_map_ = false;
  std::set<std::string, std::less<>> known_;
};

}  // namespace rr
