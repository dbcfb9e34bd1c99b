// Templates: parsed, checked for every purpose and kind, and through the stored form and back.
#include "token/template.h"

#include "tests/fuzz/cryptoki_input.h"

namespace keyscope::fuzz {
namespace {

template <typename Call>
void Refusable(Call call) {
  try {
    call();
  } catch (const Error& error) {
    if (!std::holds_alternative<Rv>(error.cause())) throw;  // a caller's input is no Fault
  }
}

void Check(const token::AttributeSet& attributes, Input& in) {
  using token::Purpose;
  const bool is_so = in.OneIn(2);
  for (Purpose purpose : {Purpose::Create, Purpose::Generate, Purpose::Unwrap, Purpose::Derive})
    Refusable([&] {
      const token::Kind kind = token::KindOfTemplate(attributes);
      token::CheckNew(attributes, kind, purpose, is_so);
      token::AttributeSet whole(attributes);
      token::AddDefaults(whole, kind);
      const Bytes stored = token::Encode(whole);
      if (token::Encode(token::Decode(stored)) != stored) abort();
      token::CheckChange(whole, attributes, kind, /*copying=*/in.OneIn(2), is_so);
    });
}

}  // namespace
}  // namespace keyscope::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace keyscope;
  fuzz::Input in(data, size);
  fuzz::Arena arena;
  const std::vector<CK_ATTRIBUTE> attributes = fuzz::TakeTemplate(in, arena);
  fuzz::Refusable([&] { fuzz::Check(token::ParseTemplate(attributes), in); });
  fuzz::Refusable([&] { token::ParseSearch(attributes); });
  return 0;
}
