// Attestation on the TSS backend: commands counted, and what a TPM's maker leaves in it.
#include "tests/contract/credential.h"
#include "tests/contract/provision.h"
#include "tests/contract/tss_subject.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::test {
namespace {

using tpm::EkType;
using tpm::Hash;
using tpm::KeyRef;

using Counts = std::map<uint32_t, int>;

class TssAttest : public TssTest {
 protected:
  Counts CountsOf(const std::function<void()>& action) {
    Commands(action);
    return proxy.Counts();
  }
  const Bytes nonce = Bytes(32, 1);
};

TEST_F(TssAttest, MakingAnAkTakesFour) {
  EXPECT_EQ(CountsOf([&] { NewAk(backend, root, "ak", kEcAk); }),
            (Counts{{TPM2_CC_StartAuthSession, 1},
                    {TPM2_CC_Create, 1},
                    {TPM2_CC_Load, 1},
                    {TPM2_CC_CertifyCreation, 1}}));
}

TEST_F(TssAttest, MakingAnAttestedKeyTakesSix) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  backend.Release({});
  EXPECT_EQ(CountsOf([&] { NewAttested(backend, root, "key", kP256, ak); }),
            (Counts{{TPM2_CC_StartAuthSession, 2},
                    {TPM2_CC_Create, 1},
                    {TPM2_CC_Load, 2},
                    {TPM2_CC_CertifyCreation, 1},
                    {TPM2_CC_Certify, 1}}))
      << "and one more for an AK that is not loaded";
  // It stays loaded for its first use.
  const KeyRef key = NewAttested(backend, root, "again", kP256, ak);
  EXPECT_EQ(CountsOf([&] { SignWith(key); }).count(TPM2_CC_Load), 0U);
}

// Both statements: three would be TPM2_Create, TPM2_Load and one of them. The second one is
// authorized by the key and the AK, each with a session, and both are held in a burst. Straight on
// this TPM there is room for one key beside the AK, which is learnt once.
TEST_F(TssAttest, MakingMoreOfThemTakesFourEachAndOneToMakeRoom) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const Counts four{
      {TPM2_CC_Create, 1}, {TPM2_CC_Load, 1}, {TPM2_CC_CertifyCreation, 1}, {TPM2_CC_Certify, 1}};
  const KeyRef one = NewAttested(backend, root, "one", kP256, ak);
  backend.Release(one.uid);
  EXPECT_EQ(CountsOf([&] { NewAttested(backend, root, "two", kP256, ak); }), four);
  NewAttested(backend, root, "three", kP256, ak);
  Counts five = four;
  five[TPM2_CC_FlushContext] = 1;
  for (const char* name : {"four", "five"})
    EXPECT_EQ(CountsOf([&] { NewAttested(backend, root, name, kP256, ak); }), five);
}

TEST_F(TssAttest, WithTheirCreationOnlyTheyTakeThree) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  tpm::KeySpec spec = kP256;
  spec.creation_only = true;
  for (int i = 0; i < 2; ++i) backend.Release(NewAttested(backend, root, "key", spec, ak).uid);
  EXPECT_EQ(CountsOf([&] { NewAttested(backend, root, "another", spec, ak); }),
            (Counts{{TPM2_CC_Create, 1}, {TPM2_CC_Load, 1}, {TPM2_CC_CertifyCreation, 1}}));
}

TEST_F(TssAttest, CertifyingTakesThreeAndQuotingTwo) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const KeyRef key = NewAttested(backend, root, "key", kP256, ak);
  // From a cold start: also the two loads, once.
  backend.Release({});
  EXPECT_EQ(CountsOf([&] { backend.Certify(root, ak, key, nonce); }),
            (Counts{{TPM2_CC_Load, 2}, {TPM2_CC_StartAuthSession, 2}, {TPM2_CC_Certify, 1}}));
  // In a burst the sessions are held.
  backend.Certify(root, ak, key, nonce);
  EXPECT_EQ(CountsOf([&] { backend.Certify(root, ak, key, nonce); }),
            (Counts{{TPM2_CC_Certify, 1}}));
  EXPECT_EQ(CountsOf([&] { backend.Quote(root, ak, Hash::Sha256, 1, nonce); }),
            (Counts{{TPM2_CC_Quote, 1}}));
  backend.Release({});
  EXPECT_EQ(CountsOf([&] { backend.Quote(root, ak, Hash::Sha256, 1, nonce); }),
            (Counts{{TPM2_CC_Load, 1}, {TPM2_CC_StartAuthSession, 1}, {TPM2_CC_Quote, 1}}));
}

TEST_F(TssAttest, NamesAndAreasTakeNoCommand) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  EXPECT_EQ(Commands([&] {
              backend.NameOf(ak.blob);
              backend.TpmtPublicOf(ak.blob);
            }),
            0);
}

TEST_F(TssAttest, AKeyOfThePersistentKindIsLookedAtOnce) {
  const KeyRef key = NewKey(backend, root, "key", kP256);
  uint32_t handle = 0;
  EXPECT_EQ(CountsOf([&] { handle = backend.FreePersistentHandle(); }),
            (Counts{{TPM2_CC_GetCapability, 1}}));
  EXPECT_EQ(CountsOf([&] { backend.Persist(root, key, handle); }),
            (Counts{{TPM2_CC_Load, 1}, {TPM2_CC_EvictControl, 1}, {TPM2_CC_FlushContext, 1}}));
  const KeyRef persistent{key.uid, key.scope, key.blob, key.auth.Clone(), handle};
  EXPECT_EQ(CountsOf([&] {
              for (int i = 0; i < 3; ++i) SignWith(persistent);
            }).at(TPM2_CC_ReadPublic),
            1);
  EXPECT_EQ(CountsOf([&] { backend.Erase(handle, backend.NameOf(key.blob)); }),
            (Counts{{TPM2_CC_ReadPublic, 1}, {TPM2_CC_EvictControl, 1}}));
  EXPECT_EQ(FaultOf([&] { SignWith(persistent); }), Fault::KeyGone);
  EXPECT_EQ(CountsOf([&] { backend.Erase(handle, backend.NameOf(key.blob)); }),
            (Counts{{TPM2_CC_ReadPublic, 1}}));
}

TEST_F(TssAttest, APersistentEndorsementKeyIsUsed) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const auto made = backend.Endorsements();
  Provisioner maker(proxy.tcti());
  maker.PersistEndorsementKey(EkType::Rsa, 0x81010001);
  maker.PersistEndorsementKey(EkType::Ec, 0x81010002);
  std::vector<tpm::Endorsement> present;
  EXPECT_EQ(CountsOf([&] { present = backend.Endorsements(); }).count(TPM2_CC_CreatePrimary), 0U);
  ASSERT_EQ(present.size(), made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(present[i].name, made[i].name) << "from the same template";
    const Credential credential = MakeCredential(present[i], backend.NameOf(ak.blob), nonce);
    const auto activate = [&] {
      const SecretBytes answer = backend.ActivateCredential(
          root, ak, present[i].type, credential.id_object, credential.encrypted_secret);
      EXPECT_EQ(Hex(answer.view()), Hex(nonce));
    };
    backend.Release({});
    EXPECT_EQ(CountsOf(activate), (Counts{{TPM2_CC_ReadPublic, 1},
                                          {TPM2_CC_Load, 1},
                                          {TPM2_CC_StartAuthSession, 2},
                                          {TPM2_CC_PolicySecret, 1},
                                          {TPM2_CC_ActivateCredential, 1}}));
  }
}

TEST_F(TssAttest, AnotherKeyAtTheHandleIsNoEndorsementKey) {
  const auto made = backend.Endorsements();
  Provisioner maker(proxy.tcti());
  maker.PersistStorageKey(0x81010002);
  const auto again = backend.Endorsements();
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[1].name, made[1].name);
}

TEST_F(TssAttest, CertificatesAreReadWithoutTheirPadding) {
  Provisioner maker(proxy.tcti());
  Bytes certificate(1300, 0x5a);  // as far as DER goes: a SEQUENCE of 1296 bytes
  certificate[0] = 0x30;
  certificate[1] = 0x82;
  certificate[2] = 1296 >> 8;
  certificate[3] = 1296 & 0xff;
  maker.WriteNv(0x01C00002, Concat({certificate, Bytes(200, 0xff)}));
  maker.WriteNv(0x01C0000A, Bytes(100, 0xff));  // not DER
  const auto all = backend.Endorsements();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].certificate, certificate);
  EXPECT_TRUE(all[1].certificate.empty());
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssAttest, ACertificateThatNobodyReadsHidesNoKey) {
  Provisioner maker(proxy.tcti());
  maker.WriteNv(0x01C00002, Bytes{0x30, 0}, Provisioner::Reader::Nobody);
  const auto all = backend.Endorsements();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].certificate.empty());
}

TEST_F(TssAttest, AnEndorsementKeyFindsRoomBesideOtherKeys) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const KeyRef one = NewKey(backend, root, "one", kP256), two = NewKey(backend, root, "two", kP256);
  const tpm::Endorsement ek = backend.Endorsements().back();
  const Credential credential = MakeCredential(ek, backend.NameOf(ak.blob), nonce);
  const auto activate = [&] {
    SignWith(one);
    SignWith(two);
    backend.ActivateCredential(root, ak, ek.type, credential.id_object,
                               credential.encrypted_secret);
  };
  activate();  // learns how many slots there are
  backend.Release(ak.uid);
  EXPECT_EQ(CountsOf(activate).at(TPM2_CC_CreatePrimary), 1);
}

// The owner reads what gives no right to itself.
TEST_F(TssAttest, CertificatesOfTheOwnerAreRead) {
  Provisioner maker(proxy.tcti());
  const Bytes certificate = {0x30, 3, 1, 2, 3};
  maker.WriteNv(0x01C0000A, certificate, Provisioner::Reader::Owner);
  const auto all = backend.Endorsements();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].certificate, certificate);
}

TEST_F(TssAttest, ANonceOfTheMakerGoesIntoTheTemplate) {
  const auto without = backend.Endorsements();
  Provisioner maker(proxy.tcti());
  maker.WriteNv(0x01C00003, Bytes(64, 7));
  maker.WriteNv(0x01C0000B, Bytes(32, 8));
  const auto with = backend.Endorsements();
  ASSERT_EQ(with.size(), 2U);
  EXPECT_NE(with[0].name, without[0].name);
  EXPECT_NE(with[1].name, without[1].name);
  maker.WriteNv(0x01C00003, Bytes(300, 7));  // longer than the template has room for
  EXPECT_EQ(backend.Endorsements().front().type, EkType::Rsa);
}

// A DER SEQUENCE of that many bytes.
Bytes CertificateOf(size_t size, uint8_t fill) {
  Bytes der(size, fill);
  const size_t content = size - 4;
  std::ranges::copy(
      Bytes{0x30, 0x82, static_cast<uint8_t>(content >> 8), static_cast<uint8_t>(content)},
      der.begin());
  return der;
}

TEST_F(TssAttest, TheMakersTemplateIsUsed) {
  const auto without = backend.Endorsements();
  Provisioner maker(proxy.tcti());
  TPMT_PUBLIC area = tpm::tss::EndorsementTemplate(EkType::Ec);
  tpm::tss::SetNonce(area, Bytes(32, 8));
  const Bytes makers = tpm::tss::Marshal(area);
  maker.WriteNv(0x01C0000C, Concat({makers, Bytes(50, 0xff)}));
  const auto with = backend.Endorsements();
  ASSERT_EQ(with.size(), 2U);
  EXPECT_EQ(with[0].name, without[0].name);
  EXPECT_NE(with[1].name, without[1].name);
  // The nonce goes into it: the same as into the profile's template.
  maker.WriteNv(0x01C0000C, tpm::tss::Marshal(tpm::tss::EndorsementTemplate(EkType::Ec)));
  maker.WriteNv(0x01C0000B, Bytes(32, 8));
  EXPECT_EQ(backend.Endorsements()[1].name, with[1].name);
  // What is no template, or not of such a key, makes none; the other key is there.
  area.objectAttributes |= TPMA_OBJECT_SIGN_ENCRYPT;
  area.objectAttributes &= ~static_cast<TPMA_OBJECT>(TPMA_OBJECT_RESTRICTED);
  for (const Bytes& bad : {Bytes(40, 0xee), tpm::tss::Marshal(area), Bytes{0}}) {
    maker.WriteNv(0x01C0000C, bad);
    const auto left = backend.Endorsements();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].type, EkType::Rsa);
  }
}

// They are there when their maker has left a certificate or a template, and made as the profile
// says; their use is authorized with their auth value.
TEST_F(TssAttest, EndorsementKeysOfTheHighRange) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  Provisioner maker(proxy.tcti());
  const Bytes certificate = CertificateOf(300, 1);
  maker.WriteNv(0x01C00014, certificate);
  maker.WriteNv(0x01C00016, certificate);
  maker.WriteNv(0x01C00013, tpm::tss::Marshal(tpm::tss::EndorsementTemplate(EkType::HighRsa2048)));
  const auto all = backend.Endorsements();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[2].type, EkType::HighRsa2048);
  EXPECT_TRUE(all[2].certificate.empty());
  EXPECT_EQ(all[3].type, EkType::HighP256);
  EXPECT_EQ(all[4].type, EkType::HighP384);
  EXPECT_EQ(all[4].certificate, certificate);
  EXPECT_EQ(Hex(ByteView(all[4].name).first(2)), "000c") << "its Name is a SHA-384";
  for (const tpm::Endorsement* ek : {&all[2], &all[3]}) {
    const Credential credential = MakeCredential(*ek, backend.NameOf(ak.blob), nonce);
    EXPECT_EQ(CountsOf([&] {
                const SecretBytes answer = backend.ActivateCredential(
                    root, ak, ek->type, credential.id_object, credential.encrypted_secret);
                EXPECT_EQ(Hex(answer.view()), Hex(nonce));
              }).count(TPM2_CC_PolicySecret),
              0U);
  }
  EXPECT_EQ(FaultOf([&] {
              backend.ActivateCredential(root, ak, static_cast<EkType>(7), Bytes{0, 1, 0},
                                         Bytes{0, 1, 0});
            }),
            Fault::BadInput);
}

TEST_F(TssAttest, TheChainGoesOnFromIndexToIndex) {
  EXPECT_TRUE(backend.EndorsementChain().empty());
  Provisioner maker(proxy.tcti());
  const Bytes one = CertificateOf(700, 1), two = CertificateOf(300, 2);
  const ByteView first = one;
  maker.WriteNv(0x01C00100, first.first(500));
  maker.WriteNv(0x01C00101, Concat({first.subspan(500), Bytes(20, 0xff), two, Bytes(9, 0)}));
  maker.WriteNv(0x01C001FF, Bytes(10, 0x77), Provisioner::Reader::Nobody);
  EXPECT_EQ(backend.EndorsementChain(), (std::vector{one, two}));
  maker.WriteNv(0x01C001FF, Bytes(10, 0x77));
  EXPECT_EQ(backend.EndorsementChain(), (std::vector{one, two})) << "what is no DER ends it";
}

TEST_F(TssAttest, AConfiguredEndorsementAuthorizationIsUsed) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  Provisioner(proxy.tcti()).SetEndorsementAuth(AsBytes("hidden"));
  backend.Release({});
  const auto configured = tpm::MakeBackend(
      {.tcti = proxy.tcti(), .owner_auth = {}, .endorsement_auth = SecretBytes(AsBytes("hidden"))});
  for (const tpm::Endorsement& ek : configured->Endorsements()) {
    const Credential credential = MakeCredential(ek, backend.NameOf(ak.blob), nonce);
    const SecretBytes answer = configured->ActivateCredential(
        root, ak, ek.type, credential.id_object, credential.encrypted_secret);
    EXPECT_EQ(Hex(answer.view()), Hex(nonce));
  }
  EXPECT_EQ(configured->Endorsements().size(), 2U);
  configured->Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
  EXPECT_EQ(backend.ReadLockout().tries_used, 0U);
}

TEST_F(TssAttest, WithoutTheEndorsementHierarchyNothingIsMade) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const tpm::Endorsement ek = backend.Endorsements().back();
  const Credential credential = MakeCredential(ek, backend.NameOf(ak.blob), nonce);
  const auto activate = [&] {
    return FaultOf([&] {
      backend.ActivateCredential(root, ak, ek.type, credential.id_object,
                                 credential.encrypted_secret);
    });
  };
  Provisioner maker(proxy.tcti());
  maker.SetEndorsementAuth(AsBytes("secret"));
  EXPECT_TRUE(backend.Endorsements().empty());
  EXPECT_EQ(activate(), Fault::Denied);
  maker.PersistEndorsementKey(EkType::Ec, 0x81010002, AsBytes("secret"));
  EXPECT_EQ(backend.Endorsements().size(), 1U);
  EXPECT_EQ(activate(), Fault::Denied) << "its policy asks for the authorization, too";
  EXPECT_EQ(backend.ReadLockout().tries_used, 0U);
}

// A TPM that takes no longer nonces than it likes.
TEST_F(TssAttest, ANonceThatTheTpmRefusesIsBadInput) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  backend.Certify(root, ak, ak, nonce);
  constexpr uint32_t kSizeOfParameter1 = 0x1d5;
  backend.Release({});
  proxy.Inject(3, {Harm::Kind::Answer, kSizeOfParameter1});  // load, two sessions, Certify
  EXPECT_EQ(FaultOf([&] { backend.Certify(root, ak, ak, nonce); }), Fault::BadInput);
  EXPECT_TRUE(proxy.Injected());
}

TEST_F(TssAttest, ATransientRootHasRoomForBothKeys) {
  tpm::Root transient = root;
  transient.handle = 0;
  const KeyRef ak = NewAk(backend, transient, "ak", kEcAk);
  for (int i = 0; i < 3; ++i) {
    const KeyRef key = NewAttested(backend, transient, std::to_string(i), kP256, ak);
    backend.Certify(transient, ak, key, nonce);
  }
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

TEST_F(TssAttest, AFullTpmIsSharedWithOthers) {
  const KeyRef ak = NewAk(backend, root, "ak", kEcAk);
  const KeyRef key = NewAttested(backend, root, "key", kP256, ak);
  const auto other = subject.NewBackend();
  const KeyRef others_key = NewKey(*other, root, "other", kP256);
  for (int i = 0; i < 3; ++i) {
    other->Sign(root, others_key, tpm::SignScheme::Ecdsa, Hash::Sha256, DigestFor(Hash::Sha256));
    EXPECT_NO_THROW(backend.Certify(root, ak, key, nonce));
  }
  other->Release({});
  backend.Release({});
  EXPECT_TRUE(proxy.LoadedHandles().empty());
}

}  // namespace
}  // namespace keyscope::test
