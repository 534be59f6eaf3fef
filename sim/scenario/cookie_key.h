#pragma once
// The key that the nodes of a tier's load balancer seal their stickiness cookies with.
#include <string>

namespace rr::sim {

/// 64 hexadecimal digits, drawn from the system: for LoadBalancerSettings::cookie_key.
std::string draw_cookie_key();

}  // namespace rr::sim
