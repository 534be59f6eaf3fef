#pragma once
// A value that is JSON already as a tree that readers take, without the way through text.
#include <nlohmann/json_fwd.hpp>

#include "lb/document/document.h"

namespace rr {

/// As parse_json_document() would give it; without lines.
Document to_document(const nlohmann::ordered_json& json);

}  // namespace rr
