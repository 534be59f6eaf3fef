// Only in the program that is linked with no shared library (RR_STATIC).
#include <pwd.h>

#include <cerrno>

/// libuv can ask for the home folder, which rr-webapp never does; the question is linked all the same, and glibc's
/// answer would load libraries at run time. In a program that is to need none, nobody is found.
extern "C" int getpwuid_r(uid_t, passwd*, char*, size_t, passwd** result) {
  *result = nullptr;
  return ENOSYS;
}
