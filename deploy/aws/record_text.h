#pragma once
// The lock and the release record as the JSON that Parameter Store keeps (4 KB at most in the standard tier).
#include <string>

#include "deploy/rollout/job.h"
#include "lb/base/result.h"

namespace rr::deploy {

std::string job_text(const Job& job);
/// An error when it is not such a document, or of a later version of it.
Result<Job> parse_job(const std::string& text);

std::string record_text(const Record& record);
Result<Record> parse_record(const std::string& text);

}  // namespace rr::deploy
