#pragma once
// What is published about the settings, made from the table in fields.cc. The repository holds the results as files,
// and a test compares them, so that people and editors can read them without building anything.
#include <string>

namespace rr::deploy {

/// deploy/settings/schema.json: a JSON Schema (2020-12) of an environment's file.
std::string settings_schema();

/// terraform/variables.tf: every section as a variable with its type and meaning.
std::string terraform_variables();

/// terraform/modules/settings/variables.tf: the same, and a validation for every range.
std::string terraform_validated_variables();

}  // namespace rr::deploy
