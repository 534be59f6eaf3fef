#pragma once
// What an image's bake asks before the image is made: does this program, with these settings, serve?
#include "lb/base/result.h"
#include "webapp/app/settings.h"

namespace rr::webapp {

/// Serves on a loopback port of the kernel's choice, whatever the settings say of listening, and asks over real
/// connections what a load balancer and a release ask: /healthz is 200, /version and the page name the commit and the
/// build. Tells no service manager. The error says which question was answered wrongly, and how.
Status self_test(Settings settings);

}  // namespace rr::webapp
