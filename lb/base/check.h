#pragma once
// Impossible things crash, in every build: a proxy that goes on after its own invariant broke may give one client
// another client's answer.

namespace rr {
[[noreturn]] void check_failed(const char* condition, const char* message, const char* file, int line);
}

/// Ends the process with one line on standard error when the condition is false.
#define RR_CHECK(condition, message)                               \
  do {                                                             \
    if (!(condition)) [[unlikely]]                                 \
      ::rr::check_failed(#condition, message, __FILE__, __LINE__); \
  } while (false)
