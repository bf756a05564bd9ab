# mlalert_module(NAME [DEPS module...] [LINK target...]): one library for one folder of src/.
# mlalert_test(NAME DEPS module... [SUPPORT file...] [LABELS label...]): one Boost.Test executable for one folder of test/.

add_library(mlalert_warnings INTERFACE)
target_compile_options(mlalert_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough -Wno-sign-conversion -Wno-missing-field-initializers)
if(MLALERT_WERROR)
  target_compile_options(mlalert_warnings INTERFACE -Werror)
endif()

add_library(mlalert_options INTERFACE)
target_compile_options(mlalert_options INTERFACE -pthread)
target_include_directories(mlalert_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
target_include_directories(mlalert_options SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS})
target_compile_definitions(mlalert_options INTERFACE RAPIDJSON_HAS_STDSTRING=1
                           MLALERT_VERSION="${PROJECT_VERSION}")
target_link_libraries(mlalert_options INTERFACE Threads::Threads tl::expected)
# Sanitizers watch our modules. The tests themselves are only linked with the runtime: instrumenting Boost.Test's
# macros doubles the build and finds nothing of ours, and so test objects are the same (cached) as in the dev preset.
add_library(mlalert_sanitized INTERFACE)
if(MLALERT_SANITIZE)
  target_compile_options(mlalert_sanitized INTERFACE -fsanitize=${MLALERT_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  if(MLALERT_SANITIZE MATCHES "undefined")
    # A quarter of the compile time, and what they would find stops AddressSanitizer's run as well (a null pointer) or
    # is no fault on what we run on.
    target_compile_options(mlalert_sanitized INTERFACE -fno-sanitize=null,alignment,vptr,object-size)
  endif()
  target_link_options(mlalert_options INTERFACE -fsanitize=${MLALERT_SANITIZE})
  if(MLALERT_FUZZ)
    # A finding ends the run. RapidJSON adds an offset to a null pointer; that check alone is off.
    target_compile_options(mlalert_sanitized INTERFACE -fno-sanitize-recover=all -fno-sanitize=pointer-overflow)
  endif()
endif()

# The headers that nearly every file reads, parsed once: half of a small file's compile time. One set as the modules are
# compiled (-fPIC, sanitized), one as the tests are (-fPIE), both with the warnings (-Wpedantic changes macros); ccache needs the sloppiness that ./dev sets.
set(MLALERT_COMMON_HEADERS <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string>
    <string_view> <unordered_map> <unordered_set> <utility> <variant> <vector> <fmt/format.h> <tl/expected.hpp>)
file(WRITE ${CMAKE_BINARY_DIR}/generated/headers_main.cc "int main() {}\n")
add_library(mlalert_common_headers OBJECT ${CMAKE_BINARY_DIR}/generated/headers_main.cc)
target_link_libraries(mlalert_common_headers PRIVATE mlalert_options mlalert_warnings mlalert_sanitized fmt::fmt)
target_precompile_headers(mlalert_common_headers PRIVATE ${MLALERT_COMMON_HEADERS})
if(MLALERT_TESTS)
  add_executable(mlalert_test_headers EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/generated/headers_main.cc)
  target_link_libraries(mlalert_test_headers PRIVATE mlalert_options mlalert_warnings fmt::fmt Boost::unit_test_framework)
  target_precompile_headers(mlalert_test_headers PRIVATE ${MLALERT_COMMON_HEADERS} <boost/test/unit_test.hpp>)
endif()

function(mlalert_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  set(scope PUBLIC)
  if(sources)
    add_library(mlalert_${name} ${sources})
    target_link_libraries(mlalert_${name} PRIVATE mlalert_warnings mlalert_sanitized)
    target_precompile_headers(mlalert_${name} REUSE_FROM mlalert_common_headers)
    set_property(GLOBAL APPEND PROPERTY MLALERT_OBJECT_MODULES ${name})
  else()
    add_library(mlalert_${name} INTERFACE)  # headers only
    set(scope INTERFACE)
  endif()
  add_library(mlalert::${name} ALIAS mlalert_${name})
  set_property(GLOBAL APPEND PROPERTY MLALERT_LIBRARIES ${ARG_LINK})
  target_link_libraries(mlalert_${name} ${scope} mlalert_options ${ARG_LINK})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(mlalert_${name} ${scope} mlalert::${dep})
  endforeach()
endfunction()

function(mlalert_test name)
  cmake_parse_arguments(ARG "" "" "DEPS;LABELS;SUPPORT" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/${name}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  list(TRANSFORM ARG_SUPPORT PREPEND ${CMAKE_SOURCE_DIR}/test/support/)
  add_executable(${name}_test ${sources} ${ARG_SUPPORT} ${CMAKE_SOURCE_DIR}/test/support/main.cc)
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/test)
  # In one file only: an absolute path on the command line makes an object useless to another checkout's ccache.
  # BOOST_TEST_MODULE must stand before Boost's header is read.
  set_source_files_properties(${CMAKE_SOURCE_DIR}/test/support/main.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                              COMPILE_DEFINITIONS MLALERT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE Boost::unit_test_framework mlalert_options mlalert_warnings)
  foreach(dep ${ARG_DEPS})
    target_link_libraries(${name}_test PRIVATE mlalert::${dep})
  endforeach()
  target_precompile_headers(${name}_test REUSE_FROM mlalert_test_headers)
  # Sanitizers own the signals; without the flag Boost.Test would catch them first.
  add_test(NAME ${name} COMMAND ${name}_test --catch_system_errors=no --color_output=no)
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 600)
endfunction()

# Migrations are compiled into the binary, so that one file is the whole installation.
function(mlalert_embed_migrations module)
  file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/migrations/*.sql)
  set(out ${CMAKE_BINARY_DIR}/generated/storage/embedded_migrations.cc)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} "-DFILES=${migrations}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
    DEPENDS ${migrations} ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
    VERBATIM)
  target_sources(mlalert_${module} PRIVATE ${out})
endfunction()
