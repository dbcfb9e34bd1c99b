# Every library the module links, in one place. The README says why each is here.
include(GNUInstallDirs)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
if(WIN32)
  # What a static libcrypto uses of Windows.
  set_property(TARGET OpenSSL::Crypto APPEND PROPERTY INTERFACE_LINK_LIBRARIES ws2_32 crypt32)
endif()
find_package(SQLite3 REQUIRED)
find_package(Threads REQUIRED)
if(NOT WIN32)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(TSS2 REQUIRED IMPORTED_TARGET tss2-sys tss2-mu tss2-tctildr tss2-rc)
endif()

# toml++ as headers only: one shared library less in every program that loads the module.
find_path(TOML_INCLUDE_DIR toml++/toml.h REQUIRED)
add_library(toml INTERFACE)
target_include_directories(toml SYSTEM INTERFACE ${TOML_INCLUDE_DIR})
target_compile_definitions(toml INTERFACE TOML_ENABLE_FORMATTERS=0)  # TOML is only read

# The PKCS#11 header, without its folder's other names.
add_library(cryptoki INTERFACE)
if(KEYSCOPE_PKCS11_INCLUDE_DIR)
  target_include_directories(cryptoki SYSTEM INTERFACE ${KEYSCOPE_PKCS11_INCLUDE_DIR})
else()
  find_path(NSS_PKCS11_DIR pkcs11.h PATH_SUFFIXES nss REQUIRED)
  find_path(NSPR_DIR prtypes.h PATH_SUFFIXES nspr REQUIRED)
  target_include_directories(cryptoki SYSTEM INTERFACE ${NSS_PKCS11_DIR} ${NSPR_DIR})
endif()

# The standard headers that most files include, compiled once: reading them is half of a build.
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON shows whether each file includes what it uses. Where files are compiled in
# batches (the presets that are there to test), a folder's unnamed namespaces are one.
set(KEYSCOPE_STANDARD_HEADERS <algorithm> <array> <chrono> <functional> <map> <memory> <mutex> <optional>
    <set> <span> <sstream> <string> <string_view> <variant> <vector>)

# keyscope_sources(OUT): the sources of the current folder. What is of one platform is in a file of its own, by name.
function(keyscope_sources out)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  if(WIN32)
    list(FILTER sources EXCLUDE REGEX "_posix(_test)?\\.cc$|/tss/")
  else()
    list(FILTER sources EXCLUDE REGEX "_windows(_test)?\\.cc$|/ncrypt/")
  endif()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# keyscope_folder(NAME LIBS...): the static library of one folder, from all its sources.
function(keyscope_folder name)
  keyscope_sources(sources)
  add_library(keyscope_${name} STATIC ${sources})
  target_include_directories(keyscope_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(keyscope_${name} PUBLIC ${ARGN})
  if(name STREQUAL "base")
    target_precompile_headers(keyscope_base PRIVATE ${KEYSCOPE_STANDARD_HEADERS})
  else()
    target_precompile_headers(keyscope_${name} REUSE_FROM keyscope_base)
  endif()
endfunction()
