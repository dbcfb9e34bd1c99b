// Evidence holds before a remote party that knows nothing but the TPM specification, and each of
// its checks fails where it has to.
#include <algorithm>
#include <cstring>

#include "tests/attestation/verifier.h"
#include "tests/contract/statement.h"
#include "tests/module/openssl.h"

namespace keyscope::test {
namespace {

constexpr std::string_view kOutsideInfo[] = {KEYSCOPE_OUTSIDE_INFO_MACHINE,
                                             KEYSCOPE_OUTSIDE_INFO_USER};

Attributes Qualified(ByteView nonce) { return {{CKA_KEYSCOPE_QUALIFYING_DATA, nonce}}; }

TEST_F(Attestation, EvidenceOfAksAndTheirKeysHolds) {
  const Bytes birth = Text("nonce of birth");
  for (CK_SLOT_ID slot : kSlots)
    for (Algorithm of_ak : kAlgorithms) {
      const CK_OBJECT_HANDLE ak = Make(
          In(slot), of_ak, Attributes{{CKA_KEYSCOPE_ATTESTATION_KEY, true}}.With(Qualified(birth)));
      const Evidence of = EvidenceOf(In(slot), ak);
      EXPECT_EQ(CheckAk(of, birth), "");
      EXPECT_EQ(CheckScope(of.public_area, of, kOutsideInfo[slot]), "");
      EXPECT_EQ(Get(In(slot), ak, CKA_KEYSCOPE_TPM_NAME), NameFor(of.public_area));
      EXPECT_TRUE(of.certification.attest.empty());
      for (Algorithm of_key : kAlgorithms) {
        const CK_OBJECT_HANDLE key =
            Make(In(slot), of_key, By(In(slot), ak).With(Qualified(Pattern(64))));
        const Evidence made = EvidenceOf(In(slot), key);
        EXPECT_EQ(CheckKey(of.public_area, made.public_area, made.certification, Pattern(64)), "");
        EXPECT_EQ(CheckScope(of.public_area, made, kOutsideInfo[slot]), "");
        EXPECT_EQ(CheckScope(of.public_area, made, kOutsideInfo[1 - slot]), "scope");
        EXPECT_EQ(Get(In(slot), key, CKA_KEYSCOPE_AK_PUBLIC), of.public_area);
        EXPECT_EQ(Get(In(slot), key, CKA_KEYSCOPE_AK_NAME), NameFor(of.public_area));
      }
    }
}

TEST_F(Attestation, OfACreationOnlyTheRestIsStatedLater) {
  const CK_OBJECT_HANDLE ak = MakeAk(session());
  const Bytes of_ak = EvidenceOf(session(), ak).public_area;
  const CK_OBJECT_HANDLE key =
      Make(session(), Algorithm::Ec, By(session(), ak).With({{CKA_KEYSCOPE_CREATION_ONLY, true}}));
  EXPECT_TRUE(GetBool(session(), key, CKA_KEYSCOPE_CREATION_ONLY));
  const Evidence made = EvidenceOf(session(), key);
  EXPECT_EQ(CheckScope(of_ak, made, kOutsideInfo[kMachineSlot]), "");
  EXPECT_TRUE(made.certification.attest.empty());
  const tpm::Statement later =
      ParseStatement(Do(kSign, session(), CertifyMechanism(key), ak, Pattern(20)));
  EXPECT_EQ(CheckKey(of_ak, made.public_area, later, Pattern(20)), "");
}

// Straight on this TPM there is room for one key beside the AK.
TEST_F(Attestation, AttestedKeysTakeFourCommandsEachAndOneToMakeRoom) {
  const Attributes by = By(session(), MakeAk(session()));
  const auto commands = [&](const Attributes& asked) {
    return Commands([&] { Make(session(), Algorithm::Ec, asked); });
  };
  commands(by);
  EXPECT_EQ(commands(by), 4 + 1);
  EXPECT_EQ(commands(by.With({{CKA_KEYSCOPE_CREATION_ONLY, true}})), 3 + 1);
}

TEST_F(Attestation, EvidenceOfAnotherKeyAkOrNonceDoesNot) {
  const CK_OBJECT_HANDLE ak = MakeAk(session()), other_ak = MakeAk(session());
  const CK_OBJECT_HANDLE key = Make(session(), Algorithm::Ec, By(session(), ak)),
                         other_key = Make(session(), Algorithm::Ec, By(session(), ak));
  const Evidence of_ak = EvidenceOf(session(), ak), of_other_ak = EvidenceOf(session(), other_ak),
                 good = EvidenceOf(session(), key), other = EvidenceOf(session(), other_key);
  auto check = [&](const Evidence& by, ByteView key_public, const tpm::Statement& statement,
                   ByteView nonce = {}) {
    return CheckKey(by.public_area, key_public, statement, nonce);
  };
  ASSERT_EQ(check(of_ak, good.public_area, good.certification), "");
  EXPECT_EQ(check(of_ak, good.public_area, good.certification, Pattern(5)), "nonce");
  EXPECT_EQ(check(of_other_ak, good.public_area, good.certification), "signature");
  EXPECT_EQ(check(of_ak, other.public_area, good.certification), "name");
  EXPECT_EQ(check(of_ak, of_ak.public_area, good.certification), "restricted");
  EXPECT_EQ(CheckScope(of_other_ak.public_area, good, kOutsideInfo[0]), "signature");
  Evidence other_data = of_ak;
  other_data.creation_data.back() ^= 1;
  EXPECT_EQ(CheckAk(other_data, {}), "creation hash");

  tpm::Statement tampered = good.certification;
  tampered.attest[60] ^= 1;  // in clockInfo or firmwareVersion
  EXPECT_EQ(check(of_ak, good.public_area, tampered), "signature");
  tampered = good.certification;
  tampered.signature.back() ^= 1;
  EXPECT_EQ(check(of_ak, good.public_area, tampered), "signature");
}

TEST_F(Attestation, AnImportedKeyIsCertifiedForWhatItIs) {
  const CK_OBJECT_HANDLE ak = MakeAk(session());
  const CK_OBJECT_HANDLE imported = Create(session(), PrivateTemplate(NewEc("P-256")));
  const tpm::Statement statement =
      ParseStatement(Do(kSign, session(), CertifyMechanism(imported), ak, Pattern(20)));
  const Bytes of_imported = Get(session(), imported, CKA_KEYSCOPE_TPM_PUBLIC);
  EXPECT_EQ(CheckKey(EvidenceOf(session(), ak).public_area, of_imported, statement, Pattern(20)),
            "fixedTPM");
}

// A key that signs anything can sign the likeness of a statement: so an AK has to be restricted.
TEST_F(Attestation, AnOrdinaryKeyIsNoAk) {
  const CK_OBJECT_HANDLE ak = MakeAk(session()), key = Make(session(), Algorithm::Ec);
  Evidence forged = EvidenceOf(session(), ak);
  const Bytes name = NameFor(forged.public_area);
  forged.public_area = Get(session(), key, CKA_KEYSCOPE_TPM_PUBLIC);
  const Bytes own_name = NameFor(forged.public_area);
  auto at = std::ranges::search(forged.creation.attest.begin() + 50, forged.creation.attest.end(),
                                name.begin(), name.end());
  ASSERT_FALSE(at.empty());
  std::ranges::copy(own_name, at.begin());
  const Bytes signature = Do(kSign, session(), CKM_ECDSA_SHA256, key, forged.creation.attest);
  const Bytes size{0, 32};
  forged.creation.signature = Concat({Bytes{0, 0x18, 0, 0x0b}, size, ByteView(signature).first(32),
                                      size, ByteView(signature).last(32)});
  EXPECT_TRUE(IsSignedBy(ParsePublic(forged.public_area).key, forged.creation));
  EXPECT_EQ(CheckAk(forged, {}), "restricted");
}

// --- Each check, by evidence that a software key forges with one fault ---

class Forger {
 public:
  static constexpr uint32_t kGood =
      kFixedTpm | kFixedParent | kDataOrigin | kUserWithAuth | kSignBit;

  uint32_t ak_attributes = kGood | kRestricted, key_attributes = kGood, magic = kGenerated;
  uint16_t type = 0;
  bool small_ak = false, small_key = false, other_name = false, other_hash = false,
       other_signer = false, short_signature = false;

  // TPMT_PUBLIC of a P-256 key with ECDSA and SHA-256.
  Bytes AkPublic() const {
    return small_ak ? SmallRsaPublic(ak_attributes) : EcPublic(ak_, ak_attributes);
  }
  Bytes KeyPublic() const {
    return small_key ? SmallRsaPublic(key_attributes) : EcPublic(key_, key_attributes);
  }
  tpm::Statement Certify() const {
    return Sign(Statement(type == 0 ? kCertify : type, KeyPublic(), Sized({})));
  }
  Evidence Ak() const {
    // TPMS_CREATION_DATA: no PCRs, and names that nobody looks at.
    const Bytes creation_data =
        Concat({Bytes(4, 0), Sized({}), Bytes{1, 0, 0x0b}, Sized(Pattern(34)), Sized(Pattern(34)),
                Sized(AsBytes(kOutsideInfo[0]))});
    Bytes hash = Sha256(creation_data);
    if (other_hash) hash[0] ^= 1;
    return {AkPublic(),
            creation_data,
            Sign(Statement(type == 0 ? kCreation : type, AkPublic(), Sized(hash))),
            {}};
  }

 private:
  static Bytes Number(uint32_t number, size_t size) {
    Bytes bytes(size);
    for (size_t i = size; i-- > 0; number >>= 8) bytes[i] = static_cast<uint8_t>(number);
    return bytes;
  }
  static Bytes Sized(ByteView data) {
    return Concat({Number(static_cast<uint32_t>(data.size()), 2), data});
  }
  static Bytes SmallRsaPublic(uint32_t attributes) {
    return Concat({Bytes{0, 1, 0, 0x0b}, Number(attributes, 4),
                   Bytes{0, 0, 0, 0x10, 0, 0x10, 4, 0, 0, 0, 0, 0}, Sized(Pattern(128))});
  }
  static Bytes EcPublic(const Key& key, uint32_t attributes) {
    const Bytes point = RawPoint(key);
    return Concat({Bytes{0, 0x23, 0, 0x0b}, Number(attributes, 4),
                   Bytes{0, 0, 0, 0x10, 0, 0x18, 0, 0x0b, 0, 3, 0, 0x10},
                   Sized(ByteView(point).subspan(1, 32)), Sized(ByteView(point).last(32))});
  }
  Bytes Statement(uint16_t statement_type, const Bytes& about, ByteView rest) const {
    Bytes name = NameFor(about);
    if (other_name) name[5] ^= 1;
    return Concat({Number(magic, 4), Number(statement_type, 2), Sized(Pattern(34)),
                   Sized(Text("nonce")), Bytes(25, 0), Sized(name), rest});
  }
  tpm::Statement Sign(Bytes attest) const {
    const Bytes raw = SignEcdsa(other_signer ? key_ : ak_, Sha256(attest));
    Bytes signature = Concat(
        {Bytes{0, 0x18, 0, 0x0b}, Sized(ByteView(raw).first(32)), Sized(ByteView(raw).last(32))});
    if (short_signature) signature.resize(7);
    return {std::move(attest), std::move(signature)};
  }

  const Key ak_ = NewEc("P-256"), key_ = NewEc("P-256");
};

struct ForgeryRow {
  const char* check;
  void (*forge)(Forger&);
};

TEST(Verifier, ChecksOfAks) {
  const ForgeryRow rows[] = {
      {"", [](Forger&) {}},
      {"signature length", [](Forger& f) { f.short_signature = true; }},
      {"type", [](Forger& f) { f.type = kCertify; }},
      {"creation hash", [](Forger& f) { f.other_hash = true; }},
      {"key size", [](Forger& f) { f.small_ak = true; }},
      {"restricted", [](Forger& f) { f.ak_attributes &= ~kRestricted; }},
      {"magic", [](Forger& f) { f.magic ^= 1; }},
      {"fixedTPM", [](Forger& f) { f.ak_attributes &= ~kFixedTpm; }},
      {"fixedParent", [](Forger& f) { f.ak_attributes &= ~kFixedParent; }},
      {"sensitiveDataOrigin", [](Forger& f) { f.ak_attributes &= ~kDataOrigin; }},
      {"name", [](Forger& f) { f.other_name = true; }},
      {"signature", [](Forger& f) { f.other_signer = true; }},
  };
  for (const ForgeryRow& row : rows) {
    Forger forger;
    row.forge(forger);
    EXPECT_EQ(CheckAk(forger.Ak(), Text("nonce")), row.check);
  }
}

// Every AK's evidence is of one nonce, and proves one scope.
TEST(Verifier, ChecksOfNonceAndScope) {
  const Forger forger;
  EXPECT_EQ(CheckAk(forger.Ak(), Text("another")), "nonce");
  EXPECT_EQ(CheckKey(forger.AkPublic(), forger.KeyPublic(), forger.Certify(), {}), "nonce");
  struct Row {
    const char* check;
    std::string_view outside_info;
    void (*forge)(Forger&);
  };
  const Row rows[] = {
      {"", kOutsideInfo[0], [](Forger&) {}},
      {"scope", kOutsideInfo[1], [](Forger&) {}},
      {"scope", "", [](Forger&) {}},
      {"type", kOutsideInfo[0], [](Forger& f) { f.type = kCertify; }},
      {"magic", kOutsideInfo[0], [](Forger& f) { f.magic ^= 1; }},
      {"name", kOutsideInfo[0], [](Forger& f) { f.other_name = true; }},
      {"creation hash", kOutsideInfo[0], [](Forger& f) { f.other_hash = true; }},
      {"signature", kOutsideInfo[0], [](Forger& f) { f.other_signer = true; }},
  };
  for (const Row& row : rows) {
    Forger bad;
    row.forge(bad);
    EXPECT_EQ(CheckScope(bad.AkPublic(), bad.Ak(), row.outside_info), row.check);
  }
}

TEST(Verifier, ChecksOfKeys) {
  const ForgeryRow rows[] = {
      {"", [](Forger&) {}},
      {"type", [](Forger& f) { f.type = kCreation; }},
      {"restricted", [](Forger& f) { f.key_attributes |= kRestricted; }},
      {"key size", [](Forger& f) { f.small_key = true; }},
      {"magic", [](Forger& f) { f.magic ^= 1; }},
      {"fixedTPM", [](Forger& f) { f.key_attributes &= ~kFixedTpm; }},
      {"fixedParent", [](Forger& f) { f.key_attributes &= ~kFixedParent; }},
      {"sensitiveDataOrigin", [](Forger& f) { f.key_attributes &= ~kDataOrigin; }},
      {"name", [](Forger& f) { f.other_name = true; }},
      {"signature", [](Forger& f) { f.other_signer = true; }},
  };
  for (const ForgeryRow& row : rows) {
    Forger forger;
    row.forge(forger);
    EXPECT_EQ(CheckKey(forger.AkPublic(), forger.KeyPublic(), forger.Certify(), Text("nonce")),
              row.check);
  }
}

}  // namespace
}  // namespace keyscope::test
