#include "deploy/bucket.h"

#include <fmt/format.h>

#include "deploy/aws/xml.h"

namespace rr::deploy {

Result<bool> bucket_is_there(Context& context, const std::string& bucket) {
  const auto found = context.client->call(s3_call("HeadBucket", "HEAD", "/" + bucket));
  if (found) return true;
  // An answer to HEAD has no body, so its status is all there is.
  const auto& failure = found.error();
  if (failure.kind == Failure::Kind::kTransient) return Error{failure.message};
  return false;
}

Result<bool> make_bucket(Context& context, const std::string& bucket) {
  ApiCall create = s3_call("CreateBucket", "PUT", "/" + bucket);
  // not a setting: the one region whose buckets have no location, by the S3 API
  if (context.client->region() != "us-east-1") {
    create.request.body = fmt::format(
        "<CreateBucketConfiguration "
        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}</LocationConstraint>"
        "</CreateBucketConfiguration>",
        context.client->region());
  }
  const auto made = context.client->call(create);
  if (made) return false;
  if (made.error().code == "BucketAlreadyOwnedByYou") return true;
  if (made.error().code == "BucketAlreadyExists") {
    return Error{fmt::format("bucket {} belongs to somebody else: ci.state_bucket needs another name", bucket)};
  }
  return Error{made.error().message};
}

Result<std::vector<ObjectVersion>> list_versions(Context& context, const std::string& bucket) {
  std::vector<ObjectVersion> all;
  std::string from;  // a signature wants the parameters in the order of their names
  for (;;) {
    const auto response =
        context.client->call(s3_call("ListObjectVersions", "GET", fmt::format("/{}?{}versions=", bucket, from)));
    if (!response) return Error{response.error().message};
    const Xml root = Xml::parse(response->body);
    if (root.name() != "ListVersionsResult") return Error{"ListObjectVersions: the answer is not what AWS would say"};
    for (const Xml& one : root.children()) {
      if (one.name() == "Version" || one.name() == "DeleteMarker")
        all.push_back({one.text("Key"), one.text("VersionId")});
    }
    if (root.text("IsTruncated") != "true") return all;
    from = fmt::format("key-marker={}&version-id-marker={}&", percent_encoded(root.text("NextKeyMarker")),
                       percent_encoded(root.text("NextVersionIdMarker")));
    if (from.find("=&") != std::string::npos) return Error{"ListObjectVersions: more was promised and no place named"};
  }
}

Status remove_bucket(Context& context, const std::string& bucket) {
  const auto versions = list_versions(context, bucket);
  if (!versions) return versions.error();
  for (const ObjectVersion& one : *versions) {
    const auto gone = context.client->call(s3_call(
        "DeleteObject", "DELETE",
        fmt::format("/{}/{}?versionId={}", bucket, percent_encoded(one.key, true), percent_encoded(one.version))));
    if (!gone) return Error{fmt::format("s3://{}/{}: {}", bucket, one.key, gone.error().message)};
  }
  const auto gone = context.client->call(s3_call("DeleteBucket", "DELETE", "/" + bucket));
  if (!gone) return Error{gone.error().message};
  return Ok{};
}

}  // namespace rr::deploy
