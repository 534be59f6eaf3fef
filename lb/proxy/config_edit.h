#pragma once
// One change of a part of a node's configuration, as a value: configuration and request in, configuration out. What
// comes out is not validated yet; Node takes it whole or not at all.
//
// A part is what settings_document.h writes for it, so a field is called here as it is in the file. PUT replaces a part
// (and makes it where there is none), PATCH merges into it as RFC 7396 says (null brings a default back; an action is
// replaced whole, as ModifyRule and ModifyListener of AWS do), POST adds one to a list, DELETE removes it.
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lb/proxy/config.h"
#include "lb/proxy/config_path.h"

namespace rr {

/// What was wrong with a request, for programs and for people.
struct ApiError {
  std::string code;     // as AWS calls it, where AWS has it: "RuleNotFound"; may be empty
  std::string field;    // of the configuration or of the request; may be empty
  std::string value;    // of the field, as JSON; empty where there is none
  std::string message;  // the whole sentence, with field, value and what is right
};

struct EditFailure {
  int status = 400;
  std::vector<ApiError> errors;
};

struct EditRequest {
  std::string_view method;
  ConfigPath path;
  std::string_view body{};
  std::optional<std::uint16_t> port{};  // of a target whose id is registered with several
  Time now{};
};

struct Edit {
  NodeConfig config;
  bool created = false;
  /// What there is to see of it now; where it has another path than the request's.
  ConfigPath path;
};

Result<Edit, EditFailure> edit(const NodeConfig& config, const EditRequest& request);

/// The part as it is configured, without secrets; of targets the whole group.
Result<nlohmann::ordered_json, EditFailure> show(const NodeConfig& config, const ConfigPath& path, Time now);

/// Errors of validate() with the values that the configuration has for them. AWS's code is the one that a message names
/// in parentheses, else ValidationError.
std::vector<ApiError> with_values(const NodeConfig& config, const std::vector<SettingError>& errors);
/// Errors of a reader, lines that begin with the field, with the values that it read.
std::vector<ApiError> with_fields(const Document& read, const ConfigErrors& lines);
/// Likewise, of a body that need not be JSON at all.
std::vector<ApiError> with_fields(std::string_view body, const ConfigErrors& lines);

/// The last word in parentheses that can be a code of AWS's; empty when there is none.
std::string_view code_in(std::string_view message);

}  // namespace rr
