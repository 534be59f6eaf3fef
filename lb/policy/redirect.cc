#include "lb/policy/redirect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lb/base/request_view.h"
#include "lb/policy/request_parts.h"

namespace rr {
namespace {

struct Placeholder {
  std::string_view name;
  std::string_view RedirectSource::*value;
  // Where it may stand: protocol, host, port, path, query.
  std::array<bool, 5> allowed;
};
constexpr std::array<Placeholder, 5> kPlaceholders{{
    {"protocol", &RedirectSource::protocol, {true, false, false, false, true}},
    {"host", &RedirectSource::host, {false, true, false, true, true}},
    {"port", &RedirectSource::port, {false, false, true, true, true}},
    {"path", &RedirectSource::path, {false, false, false, true, true}},
    {"query", &RedirectSource::query, {false, false, false, false, true}},
}};

/// Calls back for the text before each "#{name}" and for the name; returns what follows the last one.
template <class OnText, class OnName>
std::string_view walk(std::string_view text, OnText on_text, OnName on_name) {
  while (true) {
    const std::size_t begin = text.find("#{");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) return text;
    on_text(text.substr(0, begin));
    on_name(text.substr(begin + 2, end - begin - 2));
    text.remove_prefix(end + 1);
  }
}

const Placeholder* find_placeholder(std::string_view name) {
  const auto found = std::find_if(kPlaceholders.begin(), kPlaceholders.end(),
                                  [&](const Placeholder& one) { return one.name == name; });
  return found == kPlaceholders.end() ? nullptr : &*found;
}

void append_expanded(std::string& out, std::string_view text, const RedirectSource& source) {
  out += walk(
      text, [&](std::string_view before) { out += before; },
      [&](std::string_view name) {
        const Placeholder* known = find_placeholder(name);
        if (known != nullptr) out += source.*(known->value);
      });
}

}  // namespace

Result<std::string> redirect_location(const RedirectAction& action, const RedirectSource& source) {
  RedirectSource stripped = source;
  if (stripped.path.starts_with('/')) stripped.path.remove_prefix(1);
  std::string out;
  append_expanded(out, action.protocol, stripped);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  out += "://";
  append_expanded(out, action.host, stripped);
  out += ':';
  append_expanded(out, action.port, stripped);
  append_expanded(out, action.path, stripped);
  std::string query;
  append_expanded(query, action.query, stripped);
  if (!query.empty()) out.append("?").append(query);
  out = percent_encoded(out);
  if (out.size() > kMaximumRedirectUrl) return Error{"the redirect URL is longer than 8 K"};
  return out;
}

std::string wrong_placeholder(RedirectPart part, std::string_view text) {
  const auto column = static_cast<std::size_t>(part);
  std::vector<std::string> offered;
  for (const Placeholder& one : kPlaceholders) {
    if (one.allowed[column]) offered.push_back(fmt::format("#{{{}}}", one.name));
  }
  std::string wrong;
  const auto refuse = [&](std::string_view what) {
    if (wrong.empty())
      wrong = fmt::format("holds {}, which is no placeholder here: {}", what, fmt::join(offered, ", "));
  };
  const std::string_view rest = walk(
      text, [](std::string_view) {},
      [&](std::string_view name) {
        const Placeholder* known = find_placeholder(name);
        if (known == nullptr || !known->allowed[column]) refuse(fmt::format("#{{{}}}", name));
      });
  if (rest.find("#{") != std::string_view::npos) refuse("#{ without its }");
  return wrong;
}

}  // namespace rr
