// Random number generation (section 5.19).
#include "p11/guard.h"

using namespace keyscope;
using namespace keyscope::p11;

CK_RV C_SeedRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.SeedRandom({pSeed, ulSeedLen});
  });
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR RandomData, CK_ULONG ulRandomLen) {
  return InSession(__func__, hSession, [&](token::Session& session) {
    session.GenerateRandom({RandomData, ulRandomLen});
  });
}
