#pragma once
// From the name of a setting, as validate() writes it, to the place in the document where it stands.
#include <string_view>

#include "lb/document/document.h"

namespace rr {

/// What a document has for a setting.
struct FieldPlace {
  const Document* nearest;  // its value, or where the document leaves it out what it would stand in
  bool found;               // it is its value
};

/// "load_balancers[tier].target_groups[web].health_check.interval": an element of a list is named by its name (or its
/// target_group, id or whole text), else by its number from 0, else it is the one that has no name written. Of
/// several with that name it is the last that has the rest of the path, as the last is the one too many.
FieldPlace find_field(const Document& root, std::string_view field);

}  // namespace rr
