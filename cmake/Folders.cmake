# Checks the includes of a folder against docs/architecture.md before `target` is compiled, again whenever one of its
# sources changed.
function(rr_check_includes folder target)
  string(REPLACE "/" "_" name includes_${folder})
  if(NOT TARGET ${name})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.h ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
    set(stamp ${PROJECT_BINARY_DIR}/includes/${name})
    add_custom_command(OUTPUT ${stamp}
      COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -DFOLDER=${folder} -DSTAMP=${stamp}
              -P ${PROJECT_SOURCE_DIR}/cmake/CheckIncludes.cmake
      DEPENDS ${sources} ${PROJECT_SOURCE_DIR}/cmake/CheckIncludes.cmake ${PROJECT_SOURCE_DIR}/docs/architecture.md
      COMMENT "Checking the includes of ${folder}" VERBATIM)
    add_custom_target(${name} ALL DEPENDS ${stamp})
  endif()
  add_dependencies(${target} ${name})
endfunction()

# rr_precompile(name OPTIONS ... LINKS ... HEADERS ...): a precompiled header for those that rr_use_precompiled it. They have
# to be compiled with the same options (-pthread among them, which some libraries bring along: so all are).
function(rr_precompile name)
  cmake_parse_arguments(ARG "" "" "OPTIONS;LINKS;HEADERS" ${ARGN})
  if(NOT RR_PRECOMPILE_HEADERS OR TARGET ${name})
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/generated/${name}.cc)
  file(GENERATE OUTPUT ${source} CONTENT "")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${source})
  target_compile_options(${name} PRIVATE ${RR_COMPILE_OPTIONS} ${ARG_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

function(rr_use_precompiled name target)
  if(RR_PRECOMPILE_HEADERS)
    target_precompile_headers(${target} REUSE_FROM ${name})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Winvalid-pch>)
  endif()
endfunction()

# Not nlohmann/json.hpp: it makes the header so large that those who do not use it (nine of ten) lose all that they gained.
set(RR_COMMON_HEADERS <algorithm> <array> <chrono> <cstdint> <cstring> <functional> <map> <memory> <optional> <set> <span>
                      <string> <string_view> <utility> <variant> <vector> <fmt/format.h>)
rr_precompile(rr_common_headers LINKS ${RR_FMT} HEADERS ${RR_COMMON_HEADERS})

# One folder, one library: rr_folder(lb/base LINKS ...) makes the library lb_base of all .cc files in lb/base.
# A folder links only what its row of docs/architecture.md allows.
function(rr_folder folder)
  cmake_parse_arguments(ARG "" "" "LINKS;PRIVATE_LINKS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
    target_compile_options(${name} PRIVATE ${RR_COMPILE_OPTIONS})
    target_link_libraries(${name} PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
    rr_use_precompiled(rr_common_headers ${name})
    rr_check_includes(${folder} ${name})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
    target_link_libraries(${name} INTERFACE ${ARG_LINKS})
  endif()
endfunction()

# rr-programs and rr-tests: all programs, all unit tests (./check builds what it needs and no more).
add_custom_target(rr-programs)
add_custom_target(rr-tests)

# rr_program(rr-lb SOURCES lb/main.cc LINKS lb_proxy)
function(rr_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  list(GET ARG_SOURCES 0 first)
  get_filename_component(folder ${first} DIRECTORY)
  list(TRANSFORM ARG_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/)
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${RR_COMPILE_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  rr_use_precompiled(rr_common_headers ${name})
  rr_check_includes(${folder} ${name})
  add_dependencies(rr-programs ${name})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# rr_unit_tests(lb/base LINKS lb_base): the GoogleTest program test_lb_base of all .cc files in tests/lb/base.
function(rr_unit_tests folder)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  string(REPLACE "/" "_" name test_${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  # Optimising the tests themselves would double the time to compile them; what they test is optimised.
  set(options $<$<CONFIG:Debug>:-O0>)
  target_compile_options(${name} PRIVATE ${RR_COMPILE_OPTIONS} ${options})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  rr_precompile(rr_test_headers OPTIONS ${options} LINKS ${RR_FMT} GTest::gtest
                HEADERS ${RR_COMMON_HEADERS} <gtest/gtest.h>)
  rr_use_precompiled(rr_test_headers ${name})
  add_dependencies(rr-tests ${name})
  gtest_discover_tests(${name} PROPERTIES LABELS unit)
endfunction()
