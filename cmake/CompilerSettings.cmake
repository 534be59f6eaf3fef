# Flags every target of ours is built with. Sanitizers are chosen by RR_SANITIZE (the presets asan and tsan set it).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, RelWithDebInfo or Release" FORCE)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} is too old: 12 or newer is needed (apt-get install g++-12, then "
                      "configure with -DCMAKE_CXX_COMPILER=g++-12)")
endif()

option(RR_BUILD_TESTS "Build the tests" ON)
option(RR_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
set(RR_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, address,undefined or thread")

# -ffp-contract=off: a fused multiply-add would give other results on other processors, and the simulator's
# journal digest must be the same everywhere.
set(RR_COMPILE_OPTIONS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough -Wcast-align=strict
                       -ffp-contract=off -pthread)
# Backtraces of sanitizers and of a debug build go by frame pointers.
if(RR_SANITIZE OR NOT CMAKE_BUILD_TYPE MATCHES "^(Release|MinSizeRel)$")
  list(APPEND RR_COMPILE_OPTIONS -fno-omit-frame-pointer)
endif()
if(RR_WARNINGS_AS_ERRORS)
  list(APPEND RR_COMPILE_OPTIONS -Werror)
endif()
# Optimised, g++ follows std::variant and std::optional into members that are not alive and warns about them. What is
# really uninitialised is found by -Wuninitialized and by the sanitizer builds.
string(TOUPPER "${CMAKE_BUILD_TYPE}" RR_BUILD_TYPE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND (RR_SANITIZE OR "${CMAKE_CXX_FLAGS_${RR_BUILD_TYPE}}" MATCHES "-O[123sg]"))
  list(APPEND RR_COMPILE_OPTIONS -Wno-maybe-uninitialized)
endif()
# Everything that a fuzz target links tells libFuzzer which branches were taken; tests/fuzz links the search itself.
option(RR_LIBFUZZER "Search with libFuzzer in tests/fuzz (clang only); otherwise the fuzz targets replay files" OFF)
if(RR_LIBFUZZER)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(RR_SANITIZE)
  add_compile_options(-fsanitize=${RR_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RR_SANITIZE})
  # Two checks that double the time to compile, and that others make: the address sanitizer traps a null pointer, and
  # -Wcast-align=strict refuses the casts that could misalign one.
  if(RR_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=null,alignment)
  endif()
endif()

# For images: rr-webapp has to run where neither this machine's glibc nor its libstdc++ is. Only rr-webapp is linked so; the
# preset `static` builds nothing else. cmake/Dependencies.cmake takes the libraries' archives then.
option(RR_STATIC "Link rr-webapp with no shared library" OFF)
if(RR_STATIC)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# What most files include is parsed once: that is a third of the time to compile. Not beside a compiler cache, which would
# know nothing in the next checkout, because the precompiled header would be another one there. And so the files are
# compiled both ways, and what one of them forgets to include is found. Nor with RR_STATIC, which compiles programs and
# libraries with different options.
if(CCACHE_PROGRAM OR CMAKE_CXX_COMPILER_LAUNCHER OR RR_STATIC)
  set(precompile OFF)
else()
  set(precompile ON)
endif()
option(RR_PRECOMPILE_HEADERS "Parse the headers that most files include only once" ${precompile})
unset(precompile)
