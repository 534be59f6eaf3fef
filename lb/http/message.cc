#include "lb/http/message.h"

namespace rr {

std::string_view to_string(ParseError error) {
  switch (error) {
    case ParseError::kBadSyntax:
      return "bad syntax";
    case ParseError::kBadVersion:
      return "bad version";
    case ParseError::kBadFraming:
      return "bad framing";
    case ParseError::kUnknownTransferCoding:
      return "unknown transfer coding";
    case ParseError::kBadChunk:
      return "bad chunk";
    case ParseError::kStartLineTooLong:
      return "start line too long";
    case ParseError::kHeaderTooLarge:
      return "header too large";
    case ParseError::kTooManyHeaders:
      return "too many headers";
    case ParseError::kMissingHost:
      return "missing host";
  }
  return "bad syntax";
}

int suggested_status(ParseError error) {
  switch (error) {
    case ParseError::kBadSyntax:
    case ParseError::kBadFraming:
    case ParseError::kBadChunk:
    case ParseError::kMissingHost:
      return 400;
    case ParseError::kBadVersion:
      return 505;
    case ParseError::kUnknownTransferCoding:
      return 501;
    case ParseError::kStartLineTooLong:
      return 414;
    case ParseError::kHeaderTooLarge:
    case ParseError::kTooManyHeaders:
      return 431;
  }
  return 400;
}

int alb_status(ParseError error) {
  const int status = suggested_status(error);
  return status == 431 ? 400 : status;
}

}  // namespace rr
