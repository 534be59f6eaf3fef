#include "lb/policy/cookie_fields.h"

#include <cstddef>

namespace rr {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// The value of "name=value" when it is this name's.
std::optional<std::string_view> value_of(std::string_view pair, std::string_view name) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name) return std::nullopt;
  return trimmed(pair.substr(equals + 1));
}

struct Found {
  std::string_view value{};
  std::size_t times = 0;
};

Found look_for(const RequestView& request, std::string_view name) {
  Found found;
  for (const HeaderView& field : request.headers) {
    if (field.name.size() != 6 || !equals_ignoring_case(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      if (const auto value = value_of(rest.substr(0, end), name)) {
        found.value = *value;
        ++found.times;
      }
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }
  return found;
}

}  // namespace

std::optional<std::string_view> find_cookie(const RequestView& request, std::string_view name) {
  const Found found = look_for(request, name);
  if (found.times != 1) return std::nullopt;
  return found.value;
}

bool has_cookie(const RequestView& request, std::string_view name) { return look_for(request, name).times > 0; }

bool sets_cookie(const ResponseView& response, std::string_view name) {
  for (const HeaderView& field : response.headers) {
    if (field.name.size() != 10 || !equals_ignoring_case(field.name, "set-cookie")) continue;
    if (value_of(field.value.substr(0, field.value.find(';')), name)) return true;
  }
  return false;
}

}  // namespace rr
