# Every library the module links, in one place. The README says why each is here.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
find_package(Threads REQUIRED)
find_package(tomlplusplus REQUIRED)
pkg_check_modules(TSS2 REQUIRED IMPORTED_TARGET tss2-sys tss2-mu tss2-tctildr tss2-rc)

# The PKCS#11 header, without its folder's other names.
add_library(cryptoki INTERFACE)
if(KEYSCOPE_PKCS11_INCLUDE_DIR)
  target_include_directories(cryptoki SYSTEM INTERFACE ${KEYSCOPE_PKCS11_INCLUDE_DIR})
else()
  pkg_check_modules(NSPR REQUIRED nspr)
  find_path(NSS_PKCS11_DIR pkcs11.h PATHS /usr/include/nss REQUIRED)
  target_include_directories(cryptoki SYSTEM INTERFACE ${NSS_PKCS11_DIR} ${NSPR_INCLUDE_DIRS})
endif()

# The standard headers that most files include, compiled once: reading them is half of a build.
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON shows whether each file includes what it uses.
set(KEYSCOPE_STANDARD_HEADERS <algorithm> <array> <chrono> <functional> <map> <memory> <mutex> <optional>
    <set> <span> <sstream> <string> <string_view> <variant> <vector>)

# keyscope_folder(NAME LIBS...): the static library of one folder, from all its sources.
function(keyscope_folder name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  add_library(keyscope_${name} STATIC ${sources})
  target_include_directories(keyscope_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(keyscope_${name} PUBLIC ${ARGN})
  if(name STREQUAL "base")
    target_precompile_headers(keyscope_base PRIVATE ${KEYSCOPE_STANDARD_HEADERS})
  else()
    target_precompile_headers(keyscope_${name} REUSE_FROM keyscope_base)
  endif()
endfunction()
