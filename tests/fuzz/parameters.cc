// Mechanism parameters: every parser on every shape.
#include "token/parameters.h"

#include "tests/fuzz/cryptoki_input.h"

namespace {

using keyscope::tpm::Hash;

constexpr void (*kParsers[])(const CK_MECHANISM&) = {
    [](const CK_MECHANISM& m) { keyscope::token::NoParameters(m); },
    [](const CK_MECHANISM& m) { keyscope::token::PssOf(m, Hash::None, 2048); },
    [](const CK_MECHANISM& m) { keyscope::token::PssOf(m, Hash::Sha512, 1024); },
    [](const CK_MECHANISM& m) { keyscope::token::OaepOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::IvOf(m, 16); },
    [](const CK_MECHANISM& m) { keyscope::token::OptionalIvOf(m, 8); },
    [](const CK_MECHANISM& m) { keyscope::token::CtrOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::GcmOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::MacSizeOf(m, 64); },
    [](const CK_MECHANISM& m) { keyscope::token::EcdhOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::HkdfOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::CertifiedKeyOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::QuoteOf(m); },
    [](const CK_MECHANISM& m) { keyscope::token::EndorsementKeyOf(m); },
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  keyscope::fuzz::Input in(data, size);
  keyscope::fuzz::Arena arena;
  const CK_MECHANISM mechanism = keyscope::fuzz::TakeMechanism(in, arena);
  for (const auto parse : kParsers) try {
      parse(mechanism);
    } catch (const keyscope::Error& error) {
      const auto* rv = std::get_if<keyscope::Rv>(&error.cause());
      if (rv == nullptr || rv->value != CKR_MECHANISM_PARAM_INVALID) abort();
    }
  return 0;
}
