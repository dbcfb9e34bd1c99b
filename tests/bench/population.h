// Many cheap objects of every sort, made through the API. Object `number` is of the sort number %
// 8: data object, certificate, EC public key, generic secret key, first public, then private; its
// CKA_LABEL is "object <number>", its CKA_ID (data objects have none) the number, big-endian.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/client.h"

namespace keyscope::bench {

inline constexpr uint32_t kPublicCertificate = 1, kPrivateCertificate = 5, kSorts = 8;

Bytes IdOf(uint32_t number);
std::string LabelOf(uint32_t number);

class Population {
 public:
  Population();
  // In `session`, with the user logged in.
  void Make(const Client& client, CK_SESSION_HANDLE session, uint32_t number) const;

 private:
  Bytes certificate_, subject_, point_;  // DER
};

}  // namespace keyscope::bench
