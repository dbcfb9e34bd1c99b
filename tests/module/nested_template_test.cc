// CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE and CKA_DERIVE_TEMPLATE (sections 4.8 to 4.10, 5.7.5 and
// 5.18): kept, read back, enforced; and hostile ones.
#include <cstring>

#include "tests/module/openssl.h"
#include "tests/module/operations.h"

namespace keyscope::test {
namespace {

const Attributes kNewSecret{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_GENERIC_SECRET}};

class NestedTemplates : public LoggedIn {
 protected:
  CK_RV TryWrap(CK_OBJECT_HANDLE wrapper, const Mechanism& mechanism, CK_OBJECT_HANDLE key) {
    wrapped.assign(1024, 0);
    CK_ULONG size = wrapped.size();
    const CK_RV rv = C_WrapKey(session, mechanism.get(), wrapper, key, wrapped.data(), &size);
    wrapped.resize(rv == CKR_OK ? size : 0);
    return rv;
  }
  CK_RV TryUnwrap(CK_OBJECT_HANDLE unwrapper, const Mechanism& mechanism, Attributes attributes) {
    return C_UnwrapKey(session, mechanism.get(), unwrapper, wrapped.data(), wrapped.size(),
                       attributes.data(), attributes.size(), &made);
  }
  CK_RV TryDerive(CK_OBJECT_HANDLE base, const Mechanism& mechanism, Attributes attributes) {
    return C_DeriveKey(session, mechanism.get(), base, attributes.data(), attributes.size(), &made);
  }
  // Reads the template of an object into an array of `count` elements.
  CK_RV Read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE* elements, size_t count, CK_ULONG& size) {
    CK_ATTRIBUTE attribute{CKA_WRAP_TEMPLATE, elements, count * sizeof *elements};
    const CK_RV rv = C_GetAttributeValue(session, object, &attribute, 1);
    size = attribute.ulValueLen;
    return rv;
  }
  Bytes wrapped;
  CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
};

// Section 5.7.5: first the size of the array, then the sizes in it, then the values.
TEST_F(NestedTemplates, AreReadBack) {
  for (bool token : {false, true}) {
    const CK_OBJECT_HANDLE key = ImportAes(
        session, Pattern(16),
        {{CKA_TOKEN, token},
         {CKA_WRAP_TEMPLATE, Attributes{{CKA_CLASS, CKO_SECRET_KEY}, {CKA_LABEL, "some label"}}}});
    CK_ULONG size = 0;
    ASSERT_OK(Read(key, nullptr, 0, size));
    ASSERT_EQ(size, 2 * sizeof(CK_ATTRIBUTE));
    CK_ATTRIBUTE elements[2] = {};
    EXPECT_RV(CKR_BUFFER_TOO_SMALL, Read(key, elements, 1, size));
    EXPECT_EQ(size, CK_UNAVAILABLE_INFORMATION);
    ASSERT_OK(Read(key, elements, 2, size));
    EXPECT_EQ(elements[0].type, CKA_CLASS);
    EXPECT_EQ(elements[0].ulValueLen, sizeof(CK_ULONG));
    EXPECT_EQ(elements[1].type, CKA_LABEL);
    EXPECT_EQ(elements[1].ulValueLen, 10U);
    CK_OBJECT_CLASS object_class = 0;
    Bytes label(10);
    elements[0] = {0, &object_class, sizeof object_class};
    elements[1] = {0, label.data(), label.size() - 1};
    EXPECT_RV(CKR_BUFFER_TOO_SMALL, Read(key, elements, 2, size));
    EXPECT_EQ(elements[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    EXPECT_EQ(object_class, CKO_SECRET_KEY);
    elements[1].ulValueLen = label.size();
    ASSERT_OK(Read(key, elements, 2, size));
    EXPECT_EQ(label, Copy(AsBytes("some label")));
  }
}

TEST_F(NestedTemplates, WrapOnlyWhatMatches) {
  const Attributes wanted{{CKA_WRAP_TEMPLATE, Attributes{{CKA_LABEL, "may go"}, {CKA_ID, "1"}}}};
  const CK_OBJECT_HANDLE goes = ImportSecret(session, Pattern(16),
                                             {{CKA_LABEL, "may go"}, {CKA_ID, "1"}}),
                         stays = ImportSecret(session, Pattern(16), {{CKA_LABEL, "may go"}});
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16), wanted);
  const KeyPair rsa = GenerateRsa(session, 2048, {}, wanted);
  for (auto [wrapper, type] :
       {std::pair{aes, CKM_AES_KEY_WRAP}, std::pair{rsa.public_key, CKM_RSA_PKCS}}) {
    EXPECT_OK(TryWrap(wrapper, type, goes));
    EXPECT_RV(CKR_KEY_HANDLE_INVALID, TryWrap(wrapper, type, stays));
  }
  // A value that nobody may read is not compared, and so does not match.
  const CK_OBJECT_HANDLE by_value =
      ImportAes(session, Pattern(16), {{CKA_WRAP_TEMPLATE, Attributes{{CKA_VALUE, Pattern(16)}}}});
  EXPECT_RV(CKR_KEY_HANDLE_INVALID, TryWrap(by_value, CKM_AES_KEY_WRAP, goes));
}

TEST_F(NestedTemplates, UnwrapAsTheKeySays) {
  const Attributes imposed{
      {CKA_UNWRAP_TEMPLATE, Attributes{{CKA_EXTRACTABLE, false}, {CKA_LABEL, "came in"}}}};
  const CK_OBJECT_HANDLE open = ImportSecret(session, Pattern(16));
  const CK_OBJECT_HANDLE aes = ImportAes(session, Pattern(16), imposed);
  const KeyPair rsa = GenerateRsa(session, 2048, imposed);
  struct Row {
    CK_OBJECT_HANDLE wrapper, unwrapper;
    CK_MECHANISM_TYPE type;
  };
  for (const Row& row :
       {Row{aes, aes, CKM_AES_KEY_WRAP}, Row{rsa.public_key, rsa.private_key, CKM_RSA_PKCS}}) {
    ASSERT_OK(TryWrap(row.wrapper, row.type, open));
    ASSERT_OK(TryUnwrap(row.unwrapper, row.type, kNewSecret));
    EXPECT_FALSE(GetBool(session, made, CKA_EXTRACTABLE));
    EXPECT_EQ(Get(session, made, CKA_LABEL), Copy(AsBytes("came in")));
    EXPECT_OK(TryUnwrap(row.unwrapper, row.type, kNewSecret.With({{CKA_EXTRACTABLE, false}})));
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT,
              TryUnwrap(row.unwrapper, row.type, kNewSecret.With({{CKA_EXTRACTABLE, true}})));
  }
}

TEST_F(NestedTemplates, DeriveAsTheKeySays) {
  const Attributes imposed{
      {CKA_DERIVE, true},
      {CKA_DERIVE_TEMPLATE, Attributes{{CKA_KEY_TYPE, CKK_AES}, {CKA_VALUE_LEN, 16}}}};
  const KeyPair pair = GenerateEc(session, P256(), imposed);
  const CK_OBJECT_HANDLE secret = ImportSecret(session, Pattern(32), imposed);
  const std::pair<CK_OBJECT_HANDLE, Mechanism> rows[] = {
      {pair.private_key, Ecdh(CKD_NULL, RawPoint(NewEc("P-256")))},
      {secret, Hkdf(kSha256, true, true, {}, {})}};
  for (const auto& [base, mechanism] : rows) {
    ASSERT_OK(TryDerive(base, mechanism, {{CKA_CLASS, CKO_SECRET_KEY}}));
    EXPECT_EQ(GetUlong(session, made, CKA_KEY_TYPE), CKK_AES);
    EXPECT_EQ(GetUlong(session, made, CKA_VALUE_LEN), 16U);
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, TryDerive(base, mechanism, kNewSecret));
    EXPECT_RV(CKR_TEMPLATE_INCONSISTENT, TryDerive(base, mechanism, {{CKA_VALUE_LEN, 32}}));
  }
}

// A template that comes back from the store still binds; a template in a template comes in with the
// key.
TEST_F(NestedTemplates, AreKeptAndMayHoldOneMore) {
  const Attributes inner{{CKA_LABEL, "may go"}};
  CK_OBJECT_HANDLE aes =
      ImportAes(session, Pattern(16),
                {{CKA_TOKEN, true},
                 {CKA_UNWRAP_TEMPLATE, Attributes{{CKA_WRAP, true}, {CKA_WRAP_TEMPLATE, inner}}}});
  ASSERT_OK(C_Logout(session));
  ASSERT_OK(Login(session, CKU_USER, kUserPin));
  aes = Now(session, aes);
  ASSERT_OK(TryWrap(aes, CKM_AES_KEY_WRAP, ImportSecret(session, Pattern(16))));
  ASSERT_OK(
      TryUnwrap(aes, CKM_AES_KEY_WRAP, {{CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}}));
  EXPECT_EQ(Find(session, {{CKA_WRAP_TEMPLATE, inner}}), std::vector{made});
  EXPECT_RV(CKR_KEY_HANDLE_INVALID,
            TryWrap(made, CKM_AES_KEY_WRAP, ImportSecret(session, Pattern(16))));
  const CK_OBJECT_HANDLE goes = ImportSecret(session, Pattern(16), inner);
  EXPECT_OK(TryWrap(made, CKM_AES_KEY_WRAP, goes));
}

TEST_F(NestedTemplates, HostileOnesAreRefused) {
  const Attributes key{
      {CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, CKK_AES}, {CKA_VALUE, Pattern(16)}};
  CK_BYTE two = 2;
  CK_ATTRIBUTE self{CKA_WRAP_TEMPLATE, &self, sizeof self};
  CK_ATTRIBUTE null_value{CKA_LABEL, nullptr, 5}, absurd{CKA_LABEL, &two, ~CK_ULONG{0}},
      bad_bool{CKA_TOKEN, &two, 1}, unknown{0x7fffffff, &two, 1};
  std::vector<CK_ATTRIBUTE> many(65, CK_ATTRIBUTE{CKA_LABEL, nullptr, 0});
  CK_ATTRIBUTE twice[] = {{CKA_LABEL, &two, 1}, {CKA_LABEL, nullptr, 0}};
  struct Row {
    void* value;
    CK_ULONG size;
    CK_RV rv;
  };
  const Row rows[] = {
      {nullptr, sizeof self, CKR_ATTRIBUTE_VALUE_INVALID},
      {&self, sizeof self - 1, CKR_ATTRIBUTE_VALUE_INVALID},
      {&self, ~CK_ULONG{0}, CKR_ATTRIBUTE_VALUE_INVALID},
      {&self, sizeof self, CKR_ATTRIBUTE_VALUE_INVALID},
      {&null_value, sizeof self, CKR_ATTRIBUTE_VALUE_INVALID},
      {&absurd, sizeof self, CKR_ATTRIBUTE_VALUE_INVALID},
      {&bad_bool, sizeof self, CKR_ATTRIBUTE_VALUE_INVALID},
      {&unknown, sizeof self, CKR_ATTRIBUTE_TYPE_INVALID},
      {many.data(), many.size() * sizeof self, CKR_ATTRIBUTE_VALUE_INVALID},
      {twice, sizeof twice, CKR_TEMPLATE_INCONSISTENT},
  };
  for (const Row& row : rows) {
    for (CK_ATTRIBUTE_TYPE type : {CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE}) {
      Attributes good = key;
      std::vector<CK_ATTRIBUTE> attributes(good.data(), good.data() + good.size());
      attributes.push_back({type, row.value, row.size});
      EXPECT_RV(row.rv, C_CreateObject(session, attributes.data(), attributes.size(), &made))
          << &row - rows;
    }
  }
  // Not aligned, and empty.
  Bytes shifted(1 + sizeof self);
  CK_ATTRIBUTE label{CKA_LABEL, &two, 1};
  std::memcpy(shifted.data() + 1, &label, sizeof label);
  for (CK_ATTRIBUTE good : {CK_ATTRIBUTE{CKA_WRAP_TEMPLATE, shifted.data() + 1, sizeof label},
                            CK_ATTRIBUTE{CKA_WRAP_TEMPLATE, nullptr, 0}}) {
    Attributes all = key;
    std::vector<CK_ATTRIBUTE> attributes(all.data(), all.data() + all.size());
    attributes.push_back(good);
    EXPECT_OK(C_CreateObject(session, attributes.data(), attributes.size(), &made));
  }
}

}  // namespace
}  // namespace keyscope::test
