#pragma once
// Buckets of S3, as far as Terraform cannot have them: the one that its own state lies in.
#include <string>
#include <vector>

#include "deploy/context.h"

namespace rr::deploy {

/// False: there is none, or not for these credentials; an error when that could not be found out.
Result<bool> bucket_is_there(Context& context, const std::string& bucket);

/// An empty bucket. True when it was there already, and ours.
Result<bool> make_bucket(Context& context, const std::string& bucket);

/// One version of an object, or a mark that it was deleted.
struct ObjectVersion {
  std::string key;
  std::string version;
};
Result<std::vector<ObjectVersion>> list_versions(Context& context, const std::string& bucket);

/// Everything in it for ever, then the bucket. Can be run again when it was interrupted.
Status remove_bucket(Context& context, const std::string& bucket);

}  // namespace rr::deploy
