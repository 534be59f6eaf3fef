#pragma once
// Redirect actions: where a client is sent to.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
#include <string>
#include <string_view>

#include "lb/base/result.h"
#include "lb/policy/listener_settings.h"

namespace rr {

/// What the placeholders stand for, as the client sent it: nothing is decoded or normalised.
struct RedirectSource {
  std::string_view protocol;  // of the listener, "http"
  std::string_view host;      // without its port
  std::string_view port;      // of the listener
  std::string_view path;      // with its leading slash, which #{path} leaves out
  std::string_view query;     // without its question mark
};

/// The Location: "https://shop.example.com:443/cart?id=7". Absolute, and it always shows the port. What is no
/// visible ASCII character is percent-encoded, so that nothing of it can end a header line. The error is that
/// it would be longer than kMaximumRedirectUrl (the ALB answers 507 then).
Result<std::string> redirect_location(const RedirectAction& action, const RedirectSource& source);

/// The placeholders that a part of a redirect may hold; anything else that looks like one is a mistake.
enum class RedirectPart : std::uint8_t { kProtocol, kHost, kPort, kPath, kQuery };
/// What is wrong with the placeholders of a part; empty when nothing is.
std::string wrong_placeholder(RedirectPart part, std::string_view text);

}  // namespace rr
