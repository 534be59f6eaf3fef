#pragma once
// Desync mitigation: how far a request is from what every reader reads alike, and what is done with it.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
// https://github.com/aws/http-desync-guardian
#include <cstdint>
#include <string_view>

#include "lb/base/request_view.h"
#include "lb/policy/settings.h"

namespace rr {

enum class DesyncTier : std::uint8_t { kCompliant, kAcceptable, kAmbiguous, kSevere };
std::string_view to_string(DesyncTier tier);  // "Ambiguous"

enum class DesyncReason : std::uint8_t {
  kNone,
  kBadHeader,
  kNonCompliantHeader,
  kEmptyHeader,
  kSuspiciousHeader,
  kUndefinedTransferEncodingSemantics,
  kUndefinedContentLengthSemantics,
  kBadTransferEncoding,
  kMultipleTransferEncodingChunked,
  kBadContentLength,
  kMultipleContentLength,
  kDuplicateContentLength,
  kGetHeadZeroContentLength,
  kBothTeClPresent,
  kBadMethod,
  kNonCompliantVersion,
  kBadVersion,
  kBadUri,
  kSpaceInUri,
  kAmbiguousUri,
};
std::string_view to_string(DesyncReason reason);  // "BothTeClPresent"; "" for kNone

struct DesyncClass {
  DesyncTier tier = DesyncTier::kCompliant;
  DesyncReason reason = DesyncReason::kNone;
  bool operator==(const DesyncClass&) const = default;
};

/// The highest tier that anything in the head has, and the first reason of that tier. Names and values must be as
/// received (blanks around a name included). `clean`: every name is a token and no value, target or version has
/// anything unusual in it, so that only the fields' meaning is looked at; a head that a strict parser took is.
DesyncClass classify(const RequestView& request, bool clean);

enum class DesyncVerdict : std::uint8_t {
  kPass,
  kPassAndClose,  // then neither the client's nor the target's connection takes another request
  kBlock,         // 400, and the client's connection is closed
};

/// As AWS's table of modes, but stricter in monitor: where the end of the message was in doubt both connections are
/// closed there too, so that no second reading of the same bytes can follow; and of the Severe ones only BadHeader
/// passes (without the header, and both connections are closed), because for no other one there is a reading that every
/// target would share. Whether there is one for the request at hand is not asked here.
DesyncVerdict desync_verdict(DesyncMode mode, DesyncClass found);

}  // namespace rr
