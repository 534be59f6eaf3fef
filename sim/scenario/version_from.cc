#include "sim/scenario/version_from.h"

#include <fmt/format.h>

namespace rr::sim {

Result<VersionFrom> parse_version_from(std::string_view text) {
  const auto colon = text.find(':');
  const std::string kind(text.substr(0, colon));
  const std::string rest(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  VersionFrom from;
  if (kind == "none" && colon == std::string_view::npos) {
    from.kind = VersionFrom::Kind::kNone;
    from.name.clear();
    return from;
  }
  if (kind == "path" && (colon == std::string_view::npos || (!rest.empty() && rest.front() == '/'))) {
    if (!rest.empty()) from.name = rest;
    return from;
  }
  if (kind == "header" && !rest.empty() && rest.find_first_of(" \t:") == std::string::npos) {
    from.kind = VersionFrom::Kind::kHeader;
    from.name = rest;
    return from;
  }
  return Error{fmt::format("{}: path, path:/version, header:NAME or none is right", text)};
}

std::string format_version_from(const VersionFrom& from) {
  switch (from.kind) {
    case VersionFrom::Kind::kPath:
      return "path:" + from.name;
    case VersionFrom::Kind::kHeader:
      return "header:" + from.name;
    case VersionFrom::Kind::kNone:
      return "none";
  }
  return "none";
}

}  // namespace rr::sim
