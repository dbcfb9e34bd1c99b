// The PKCS#11 3.0 header that the build found (Debian's libnss3-dev, or the OASIS files through
// KEYSCOPE_PKCS11_INCLUDE_DIR), with the few names that it may lack. The only place that includes
// it.
#pragma once

// The OASIS files leave their platform macros to the includer; NSS's header brings its own.
#if !__has_include(<pkcs11n.h>)
#define CK_PTR *
#define CK_DECLARE_FUNCTION(type, name) type name
#define CK_DECLARE_FUNCTION_POINTER(type, name) type(*name)
#define CK_CALLBACK_FUNCTION(type, name) type(*name)
#define NULL_PTR nullptr
#endif

// On Windows PKCS#11's structures are packed to one byte; NSS's header sees to that by itself.
#ifdef _WIN32
#include <stddef.h>
#pragma pack(push, 1)
#endif

// The C_ functions are the only symbols the module shows.
#pragma GCC visibility push(default)
#include <pkcs11.h>
#pragma GCC visibility pop

#ifndef CKA_UNIQUE_ID
#define CKA_UNIQUE_ID 0x00000004UL
#endif
#ifndef CKM_AES_OFB
#define CKM_AES_OFB 0x00002104UL
#define CKM_AES_CFB128 0x00002107UL
#endif
#ifndef CKA_NAME_HASH_ALGORITHM
#define CKA_NAME_HASH_ALGORITHM 0x0000008CUL
#endif

namespace keyscope {

// For what is known to be short: CK_ULONG has 32 bits on Windows.
constexpr CK_ULONG LengthOf(const auto& bytes) { return static_cast<CK_ULONG>(bytes.size()); }

// C_Initialize's argument as the specification lays it out (section 5.4). NSS's header has one more
// field in the middle, and reading its pReserved would read past what other callers pass.
struct InitializeArgs {
  CK_CREATEMUTEX CreateMutex;
  CK_DESTROYMUTEX DestroyMutex;
  CK_LOCKMUTEX LockMutex;
  CK_UNLOCKMUTEX UnlockMutex;
  CK_FLAGS flags;
  CK_VOID_PTR pReserved;
};

// AES-GCM parameters as of version 3.0 (and of the 2.40 header).
struct GcmParams {
  CK_BYTE_PTR pIv;
  CK_ULONG ulIvLen;
  CK_ULONG ulIvBits;
  CK_BYTE_PTR pAAD;
  CK_ULONG ulAADLen;
  CK_ULONG ulTagBits;
};

}  // namespace keyscope

#ifdef _WIN32
#pragma pack(pop)
static_assert(sizeof(CK_ULONG) == 4);
#endif
static_assert(sizeof(CK_ATTRIBUTE) == sizeof(void*) + 2 * sizeof(CK_ULONG));
static_assert(sizeof(CK_MECHANISM) == sizeof(void*) + 2 * sizeof(CK_ULONG));
static_assert(sizeof(keyscope::InitializeArgs) == 5 * sizeof(void*) + sizeof(CK_FLAGS));
