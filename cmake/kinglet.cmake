# Flags and the two functions that every folder's CMakeLists.txt calls.

add_library(kinglet_flags INTERFACE)
target_compile_options(kinglet_flags INTERFACE -Wall -Wextra -Wshadow -Werror=switch -Werror=return-type
                       -ffp-contract=off -fno-math-errno -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these on std::string and std::vector themselves.
  target_compile_options(kinglet_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds>)
endif()
target_include_directories(kinglet_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
target_compile_definitions(kinglet_flags INTERFACE KINGLET_VERSION="${PROJECT_VERSION}")
if(KINGLET_SANITIZE)
  target_compile_options(kinglet_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(kinglet_flags INTERFACE -fsanitize=address,undefined)
endif()

if(KINGLET_FUZZ)
  target_compile_options(kinglet_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# kinglet_library(NAME SOURCES ... DEPS ... [LIBS ...]): the static library kinglet_NAME of one folder.
# DEPS are folders of src/ or "kernels"; LIBS are outside libraries.
function(kinglet_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(kinglet_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(kinglet_${name} PUBLIC kinglet_flags)
  foreach(dep ${ARG_DEPS})
    target_link_libraries(kinglet_${name} PUBLIC kinglet_${dep})
  endforeach()
  target_link_libraries(kinglet_${name} PUBLIC ${ARG_LIBS})
endfunction()

# kinglet_tests(NAME SOURCES ... DEPS ... [LIBS ...]): one GoogleTest program NAME_tests, every case known to ctest.
# KINGLET_SOURCE_DIR, KINGLET_BUILD_DIR and KINGLET_SHARED (models and pictures beside the checkout, may not exist) are defined.
function(kinglet_tests name)
  if(NOT KINGLET_WITH_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_executable(${name}_tests ${ARG_SOURCES})
  foreach(dep ${ARG_DEPS})
    target_link_libraries(${name}_tests PRIVATE kinglet_${dep})
  endforeach()
  target_link_libraries(${name}_tests PRIVATE kinglet_flags GTest::gtest_main ${ARG_LIBS})
  target_compile_definitions(${name}_tests PRIVATE KINGLET_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    KINGLET_BUILD_DIR="${CMAKE_BINARY_DIR}" KINGLET_SHARED="${PROJECT_SOURCE_DIR}/../shared")
  gtest_discover_tests(${name}_tests DISCOVERY_TIMEOUT 60 DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)
endfunction()
