#include "tests/contract/provision.h"

#include <algorithm>
#include <stdexcept>

#include "tpm/tss/commands.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::test {
namespace {

using tpm::tss::Tpm2b;

TSS2L_SYS_AUTH_COMMAND Password(ByteView auth) {
  return {1, {{TPM2_RS_PW, {}, 0, Tpm2b<TPM2B_AUTH>(auth)}}};
}

void Check(TSS2_RC rc, const char* what) {
  if (rc != TSS2_RC_SUCCESS) throw std::runtime_error(what);
}

TPMA_NV AttributesFor(Provisioner::Reader reader) {
  switch (reader) {
    case Provisioner::Reader::Anybody:
      return TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;
    case Provisioner::Reader::Owner:
      return TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD;
    case Provisioner::Reader::Nobody:  // but who has the index's auth value, with a try to spend
      return TPMA_NV_OWNERWRITE | TPMA_NV_AUTHREAD;
  }
  return 0;
}

void Persist(tpm::tss::Connection& connection, TPM2_HANDLE hierarchy, ByteView auth,
             const TPMT_PUBLIC& area, TPM2_HANDLE handle) {
  const auto password = Password(auth), empty = Password({});
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_PUBLIC in_public{0, area};
  const TPM2B_DATA outside_info{};
  const TPML_PCR_SELECTION no_pcrs{};
  TPM2_HANDLE made = 0;
  TPM2B_PUBLIC out_public{};
  TPM2B_CREATION_DATA data{};
  TPM2B_DIGEST hash{};
  TPMT_TK_CREATION ticket{};
  TPM2B_NAME name{};
  TSS2L_SYS_AUTH_RESPONSE response{};
  Check(Tss2_Sys_CreatePrimary(connection.sys(), hierarchy, &password, &sensitive, &in_public,
                               &outside_info, &no_pcrs, &made, &out_public, &data, &hash, &ticket,
                               &name, &response),
        "CreatePrimary");
  Check(Tss2_Sys_EvictControl(connection.sys(), TPM2_RH_OWNER, made, &empty, handle, &response),
        "EvictControl");
  FlushContext(tpm::tss::Channel(connection), made);
}

}  // namespace

void Provisioner::PersistEndorsementKey(tpm::EkType type, uint32_t handle, ByteView auth) {
  test::Persist(connection_, TPM2_RH_ENDORSEMENT, auth, tpm::tss::EndorsementTemplate(type),
                handle);
}

void Provisioner::Persist(const TPMT_PUBLIC& area, uint32_t handle) {
  test::Persist(connection_, TPM2_RH_OWNER, {}, area, handle);
}

void Provisioner::PersistStorageKey(uint32_t handle) {
  Persist(tpm::tss::StorageRootTemplate(), handle);
}

tpm::KeyBlob Provisioner::CreateKey(uint32_t parent, const TPMT_PUBLIC& area, ByteView auth) {
  const auto empty = Password({});
  const TPM2B_SENSITIVE_CREATE sensitive{0, {Tpm2b<TPM2B_AUTH>(auth), {}}};
  const TPM2B_PUBLIC in_public{0, area};
  const TPM2B_DATA outside_info{};
  const TPML_PCR_SELECTION no_pcrs{};
  TPM2B_PRIVATE out_private{};
  TPM2B_PUBLIC out_public{};
  TPM2B_CREATION_DATA data{};
  TPM2B_DIGEST hash{};
  TPMT_TK_CREATION ticket{};
  TSS2L_SYS_AUTH_RESPONSE response{};
  Check(Tss2_Sys_Create(connection_.sys(), parent, &empty, &sensitive, &in_public, &outside_info,
                        &no_pcrs, &out_private, &out_public, &data, &hash, &ticket, &response),
        "Create");
  return {tpm::tss::Marshal(out_public), tpm::tss::Marshal(out_private)};
}

void Provisioner::SetEndorsementAuth(ByteView auth) {
  const auto empty = Password({});
  const auto value = Tpm2b<TPM2B_AUTH>(auth);
  TSS2L_SYS_AUTH_RESPONSE response{};
  Check(Tss2_Sys_HierarchyChangeAuth(connection_.sys(), TPM2_RH_ENDORSEMENT, &empty, &value,
                                     &response),
        "HierarchyChangeAuth");
}

void Provisioner::WriteNv(uint32_t index, ByteView data, Reader reader) {
  const auto empty = Password({});
  const TPM2B_AUTH no_auth{};
  TSS2L_SYS_AUTH_RESPONSE response{};
  Tss2_Sys_NV_UndefineSpace(connection_.sys(), TPM2_RH_OWNER, index, &empty, &response);
  TPM2B_NV_PUBLIC area{};
  area.nvPublic = {
      index, TPM2_ALG_SHA256, AttributesFor(reader), {}, static_cast<UINT16>(data.size())};
  Check(
      Tss2_Sys_NV_DefineSpace(connection_.sys(), TPM2_RH_OWNER, &empty, &no_auth, &area, &response),
      "NV_DefineSpace");
  for (size_t done = 0; done < data.size();) {
    const ByteView block = data.subspan(done, std::min<size_t>(512, data.size() - done));
    const auto buffer = Tpm2b<TPM2B_MAX_NV_BUFFER>(block);
    Check(Tss2_Sys_NV_Write(connection_.sys(), TPM2_RH_OWNER, index, &empty, &buffer,
                            static_cast<UINT16>(done), &response),
          "NV_Write");
    done += block.size();
  }
}

}  // namespace keyscope::test
