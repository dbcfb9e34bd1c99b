/* A C program that uses the public header and loads the module as any client does: every function of both
 * lists is there, and both interfaces are found. */
#include <pkcs11.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "keyscope.h"

#ifdef _WIN32
/* Of <windows.h>, which is not C90. */
__declspec(dllimport) void *__stdcall LoadLibraryA(const char *name);
__declspec(dllimport) void *__stdcall GetProcAddress(void *module, const char *name);
#define dlopen(name, flags) LoadLibraryA(name)
#define dlsym(module, name) GetProcAddress(module, name)
#define dlerror() "LoadLibrary failed"
#else
#include <dlfcn.h>
#endif

#if CKA_KEYSCOPE_SCOPE != 0xCB530001UL
#error "CKA_KEYSCOPE_SCOPE"
#endif

static int failures = 0;

static void expect(int holds, const char *what) {
  if (!holds) {
    printf("FAILED: %s\n", what);
    ++failures;
  }
}

/* A function list is a version and pointers, which are padded to a pointer's size or packed. */
static void expect_full(const void *list, size_t size, const char *what) {
  const char *at = (const char *)list;
  void *function;
  size_t offset;
  for (offset = offsetof(CK_FUNCTION_LIST, C_Initialize); offset < size; offset += sizeof function) {
    memcpy(&function, at + offset, sizeof function);
    expect(function != NULL, what);
  }
}

static void *symbol(void *module, const char *name) {
  void *found = dlsym(module, name);
  expect(found != NULL, name);
  return found;
}

int main(int argc, char **argv) {
  void *module;
  void *found;
  CK_C_GetFunctionList get_list;
  CK_C_GetInterface get_interface;
  CK_FUNCTION_LIST_PTR list = NULL;
  CK_INTERFACE_PTR interface = NULL;
  CK_VERSION version;

  if (argc != 2 || (module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL)) == NULL) {
    printf("cannot load: %s\n", argc == 2 ? dlerror() : "no module given");
    return 1;
  }
  found = symbol(module, "C_GetFunctionList");
  memcpy(&get_list, &found, sizeof found);
  found = symbol(module, "C_GetInterface");
  memcpy(&get_interface, &found, sizeof found);
  if (failures != 0) return 1;

  expect(get_list(&list) == CKR_OK, "C_GetFunctionList");
  expect(list->version.major == 2 && list->version.minor == 40, "the list's version is 2.40");
  expect_full(list, sizeof *list, "a function of the 2.40 list");

  version.major = 3;
  version.minor = 0;
  expect(get_interface((CK_UTF8CHAR_PTR) "PKCS 11", &version, &interface, 0) == CKR_OK, "3.0");
  expect_full(interface->pFunctionList, sizeof(CK_FUNCTION_LIST_3_0), "a function of the 3.0 list");

  expect(list->C_Finalize(NULL) == CKR_CRYPTOKI_NOT_INITIALIZED, "C_Finalize through the list");
  return failures == 0 ? 0 : 1;
}
