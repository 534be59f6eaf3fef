# The target llhttp, from the first of: the distribution's library (libllhttp-dev), the C sources in Debian 12's package
# node-llhttp, the released sources by FetchContent.
option(RR_FETCH_LLHTTP "Download llhttp's sources when no package has them" ON)

if(RR_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()
find_library(LLHTTP_LIBRARY llhttp)
find_path(LLHTTP_INCLUDE llhttp.h PATH_SUFFIXES llhttp PATHS /usr/share/include)
find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)

# rr_llhttp_from(<folder with llhttp.c, http.c, api.c> <folder with llhttp.h>)
function(rr_llhttp_from sources include)
  add_library(llhttp STATIC ${sources}/llhttp.c ${sources}/http.c ${sources}/api.c)
  target_include_directories(llhttp SYSTEM PUBLIC ${include})
  # -O3 makes it a quarter faster on requests with many headers; it is the one place where that was measurable.
  # Warnings of generated code are not ours to fix.
  target_compile_options(llhttp PRIVATE -O3 -w)
endfunction()

if(LLHTTP_LIBRARY AND LLHTTP_INCLUDE)
  add_library(llhttp INTERFACE)
  target_include_directories(llhttp SYSTEM INTERFACE ${LLHTTP_INCLUDE})
  target_link_libraries(llhttp INTERFACE ${LLHTTP_LIBRARY})
elseif(LLHTTP_SOURCES AND LLHTTP_INCLUDE)
  rr_llhttp_from(${LLHTTP_SOURCES} ${LLHTTP_INCLUDE})
elseif(RR_FETCH_LLHTTP)
  message(STATUS "llhttp is in no installed package (apt-get install libllhttp-dev, on Debian 12 node-llhttp): fetching its release")
  include(FetchContent)
  # The hash pins the content, whatever the tag points to one day. It is the one that package collections (xmake's,
  # for instance) give for this release.
  FetchContent_Declare(llhttp_release
    URL https://github.com/nodejs/llhttp/archive/refs/tags/release/v9.2.1.tar.gz
    URL_HASH SHA256=3c163891446e529604b590f9ad097b2e98b5ef7e4d3ddcf1cf98b62ca668f23e
    SOURCE_SUBDIR none)  # its own CMakeLists.txt is not used: three files make the library
  FetchContent_MakeAvailable(llhttp_release)
  rr_llhttp_from(${llhttp_release_SOURCE_DIR}/src ${llhttp_release_SOURCE_DIR}/include)
else()
  rr_need("libllhttp-dev (on Debian 12: node-llhttp)" "llhttp, the HTTP parser" FALSE)
endif()
