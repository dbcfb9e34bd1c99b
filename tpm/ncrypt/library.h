// The functions of ncrypt.dll and tbs.dll that the backend calls, and nothing else of them.
#pragma once

#include <windows.h>
// After windows.h.
#include <bcrypt.h>
#include <ncrypt.h>
#include <tbs.h>

namespace keyscope::tpm::ncrypt {

struct Library {
  decltype(&NCryptOpenStorageProvider) OpenStorageProvider;
  decltype(&NCryptIsAlgSupported) IsAlgSupported;
  decltype(&NCryptEnumKeys) EnumKeys;
  decltype(&NCryptFreeBuffer) FreeBuffer;
  decltype(&NCryptFreeObject) FreeObject;
  decltype(&NCryptCreatePersistedKey) CreatePersistedKey;
  decltype(&NCryptFinalizeKey) FinalizeKey;
  decltype(&NCryptOpenKey) OpenKey;
  decltype(&NCryptDeleteKey) DeleteKey;
  decltype(&NCryptGetProperty) GetProperty;
  decltype(&NCryptSetProperty) SetProperty;
  decltype(&NCryptImportKey) ImportKey;
  decltype(&NCryptExportKey) ExportKey;
  decltype(&NCryptSignHash) SignHash;
  decltype(&NCryptEncrypt) Encrypt;
  decltype(&NCryptDecrypt) Decrypt;
  decltype(&NCryptSecretAgreement) SecretAgreement;
  decltype(&NCryptDeriveKey) DeriveKey;
  decltype(&Tbsip_Submit_Command) SubmitCommand;
};

// Loaded from the system's folder at the first call, for good. Fault::DeviceGone when something is
// missing.
const Library& Functions();

}  // namespace keyscope::tpm::ncrypt
