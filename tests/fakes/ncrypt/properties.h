// The properties of the provider and of its keys.
#pragma once

#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {

Bytes GetProviderProperty(NCRYPT_HANDLE provider, const std::wstring& name);
Bytes GetKeyProperty(const Key& key, const std::wstring& name);
void SetKeyProperty(Key& key, const std::wstring& name, const Bytes& value);

}  // namespace keyscope::ncrypt_double
