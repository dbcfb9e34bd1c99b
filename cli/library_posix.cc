#include <dlfcn.h>

#include <filesystem>

#include "cli/error.h"
#include "cli/library.h"

namespace keyscope::cli {

CK_C_GetFunctionList LoadModule(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw Failure(std::string("the module does not load: ") + dlerror() +
                  "; name it with --module or KEYSCOPE_MODULE");
  return reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
}

std::string DefaultModulePath() {
  std::error_code error;
  const auto beside =
      std::filesystem::read_symlink("/proc/self/exe", error).replace_filename("keyscope-pkcs11.so");
  return std::filesystem::exists(beside, error) ? beside.string() : KEYSCOPE_INSTALLED_MODULE;
}

}  // namespace keyscope::cli
