# Checks the #include lines of one folder against the include table of docs/architecture.md, which is read from there:
#
#   cmake -DROOT=... -DFOLDER=lb/policy -DSTAMP=... -P cmake/CheckIncludes.cmake
#
# rr_folder and rr_program make it a dependency of what they build, so a forbidden include fails the build. STAMP is
# touched when all is well. A row of the table reads
#
#   | `lb/policy` | `lb/base` | libraries, by the beginning of their header's path | yes |
#
# where the last column says whether the folder is pure: no threads, sockets, clock, environment or chance of its own.
cmake_minimum_required(VERSION 3.22)

set(TABLE_FILE docs/architecture.md)
set(OUR_FOLDERS lb webapp sim deploy bench tests)
# What a pure folder may not include, and what it may not say, each with the reason that the message gives.
set(IMPURE_HEADERS "^(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token)$"
                   "random" "^(fstream|filesystem)$" "^(sys/|net/|netinet/tcp|netdb[.]h|poll[.]h|unistd[.]h|fcntl[.]h|signal[.]h|csignal|pthread[.]h|time[.]h)")
set(IMPURE_REASONS "threads belong to the world" "chance is an argument: lb/base/rng.h" "files belong to the world"
                   "system calls belong to the world")
set(IMPURE_WORDS "_clock::now[ ]*[(]" "clock_gettime[ ]*[(]" "getenv[ ]*[(]" "random_device" "[^a-z_.]s?rand[ ]*[(]")
set(IMPURE_WORD_REASONS "time is an argument" "time is an argument" "the environment is read in main" "chance is an argument: lb/base/rng.h"
                        "chance is an argument: lb/base/rng.h")

# line_of(file, text) -> the number of the first line that holds the text, in `line`. Only called for a message.
function(line_of file text)
  file(READ ${ROOT}/${file} content)
  string(FIND "${content}" "${text}" at)
  string(SUBSTRING "${content}" 0 ${at} before)
  string(REGEX REPLACE "[^\n]" "" newlines "${before}")
  string(LENGTH "${newlines}" count)
  math(EXPR count "${count} + 1")
  set(line ${count} PARENT_SCOPE)
endfunction()

function(report file text message)
  line_of(${file} "${text}")
  set_property(GLOBAL APPEND_STRING PROPERTY errors
               "\n${file}:${line}: ${message} (${TABLE_FILE}, include table, row ${FOLDER})")
endfunction()

# The row of FOLDER.
file(STRINGS ${ROOT}/${TABLE_FILE} rows REGEX "^[|] `${FOLDER}` [|]")
list(LENGTH rows count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${FOLDER} has ${count} rows in the include table of ${TABLE_FILE}; each folder with sources needs exactly one")
endif()
string(REGEX MATCH "^[|][^|]*[|]([^|]*)[|]([^|]*)[|]([^|]*)[|]" matched "${rows}")
set(libraries_cell "${CMAKE_MATCH_2}")
string(STRIP "${CMAKE_MATCH_3}" pure)
string(REGEX MATCHALL "`[^`]+`" allowed_folders "${CMAKE_MATCH_1}")
string(REGEX MATCHALL "`[^`]+`" allowed_libraries "${libraries_cell}")
string(REPLACE "`" "" allowed_folders "${allowed_folders}")
string(REPLACE "`" "" allowed_libraries "${allowed_libraries}")
string(REPLACE ";" ", " allowed_text "${allowed_folders}")
if(allowed_text STREQUAL "")
  set(allowed_text "nothing else of ours")
endif()

# Libraries that are somebody's own: named in the table or forbidden.
file(STRINGS ${ROOT}/${TABLE_FILE} all_rows REGEX "^[|] `[a-z/]+` [|].*[|] (yes|no) [|]")
set(known_libraries "")
foreach(row IN LISTS all_rows)
  string(REGEX MATCH "^[|][^|]*[|][^|]*[|]([^|]*)[|]" matched "${row}")
  string(REGEX MATCHALL "`[^`]+`" names "${CMAKE_MATCH_1}")
  list(APPEND known_libraries ${names})
endforeach()
list(REMOVE_DUPLICATES known_libraries)
string(REPLACE "`" "" known_libraries "${known_libraries}")

function(begins_with text prefixes result)
  set(${result} FALSE PARENT_SCOPE)
  foreach(prefix IN LISTS prefixes)
    string(FIND "${text}" "${prefix}" at)
    if(at EQUAL 0)
      set(${result} TRUE PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

function(check_ours file header line_text)
  get_filename_component(header_folder ${header} DIRECTORY)
  string(REGEX MATCH "^[^/]*" top "${header}")
  if(NOT header STREQUAL "rr_version.h" AND NOT header_folder STREQUAL FOLDER
     AND NOT header_folder IN_LIST allowed_folders)
    if(top IN_LIST OUR_FOLDERS)
      report(${file} "${line_text}" "includes ${header}, but ${FOLDER} may include only ${allowed_text}")
    else()
      begins_with("${header}" "${known_libraries}" is_library)
      if(NOT is_library)
        report(${file} "${line_text}" "includes \"${header}\": write the path from the root of the repository")
      endif()
    endif()
  endif()
endfunction()

function(check_library file header line_text)
  begins_with("${header}" "${known_libraries}" is_known)
  begins_with("${header}" "${allowed_libraries}" is_allowed)
  if(is_known AND NOT is_allowed)
    report(${file} "${line_text}" "includes <${header}>, which ${FOLDER} may not use")
  elseif(${file} MATCHES "[.]h$" AND "${header}" MATCHES "^(nlohmann/json[.]hpp|yaml-cpp/)")
    report(${file} "${line_text}" "includes <${header}> in a header: that is seconds of compilation for every file that includes it, so only .cc files do, and headers take nlohmann/json_fwd.hpp")
  endif()
  if(pure STREQUAL "yes")
    foreach(expression reason IN ZIP_LISTS IMPURE_HEADERS IMPURE_REASONS)
      if("${header}" MATCHES "${expression}")
        report(${file} "${line_text}" "includes <${header}>, but ${FOLDER} is pure: ${reason}")
      endif()
    endforeach()
  endif()
endfunction()

file(GLOB sources RELATIVE ${ROOT} ${ROOT}/${FOLDER}/*.h ${ROOT}/${FOLDER}/*.cc)
foreach(source IN LISTS sources)
  file(STRINGS ${ROOT}/${source} lines REGEX "^[ ]*#[ ]*include[ ]")
  foreach(line_text IN LISTS lines)
    if(line_text MATCHES "include[ ]+([\"<])([^\">]+)")
      set(quote "${CMAKE_MATCH_1}")
      set(header "${CMAKE_MATCH_2}")
      if(NOT quote STREQUAL "<")
        check_ours(${source} ${header} "${line_text}")
      endif()
      check_library(${source} ${header} "${line_text}")
    endif()
  endforeach()
  if(pure STREQUAL "yes")
    foreach(expression reason IN ZIP_LISTS IMPURE_WORDS IMPURE_WORD_REASONS)
      file(STRINGS ${ROOT}/${source} lines LIMIT_COUNT 1 REGEX "^[^/]*${expression}")
      if(NOT lines STREQUAL "")
        string(REGEX MATCH "${expression}" said "${lines}")
        report(${source} "${said}" "says ${said}, but ${FOLDER} is pure: ${reason}")
      endif()
    endforeach()
  endif()
endforeach()

get_property(errors GLOBAL PROPERTY errors)
if(errors)
  message(FATAL_ERROR "forbidden by the floors of this project:${errors}")
endif()
file(TOUCH ${STAMP})
