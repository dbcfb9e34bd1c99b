#include "store/acl_windows.h"

#include <aclapi.h>
#include <sddl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "base/error.h"
#include "base/path.h"
#include "base/windows_error.h"

namespace keyscope::store {
namespace {

constexpr DWORD kWrites = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE |
                          WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;

// Accounts that may do anything anyway, and placeholders that stand for the owner.
constexpr std::array kTrusted = {
    L"S-1-5-18",                                                        // SYSTEM
    L"S-1-5-32-544",                                                    // Administrators
    L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  // TrustedInstaller
    L"S-1-3-0",                                                         // CREATOR OWNER
    L"S-1-3-4",                                                         // OWNER RIGHTS
};
// Groups that anybody is in.
constexpr std::array kEverybody = {
    L"S-1-1-0",       // Everyone
    L"S-1-5-7",       // Anonymous
    L"S-1-5-11",      // Authenticated Users
    L"S-1-5-4",       // INTERACTIVE
    L"S-1-5-2",       // NETWORK
    L"S-1-5-32-545",  // Users
    L"S-1-5-32-546",  // Guests
    L"S-1-15-2-1",    // all app packages
};

[[noreturn]] void Fail(const char* doing, DWORD code) {
  throw Error(Fault::Internal, std::string("cannot ") + doing + ": " + WindowsMessage(code), code);
}

std::wstring TextOf(PSID sid) {
  wchar_t* text = nullptr;
  if (ConvertSidToStringSidW(sid, &text) == 0) Fail("name an account", GetLastError());
  std::unique_ptr<void, LocalFreed> owned(text);
  return text;
}

// The account that this thread works for.
std::wstring Me() {
  HANDLE token = nullptr;
  if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) == 0 &&
      OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) == 0)
    Fail("find out the account", GetLastError());
  alignas(TOKEN_USER) std::array<std::byte, sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE> user;
  DWORD size = user.size();
  const BOOL got = GetTokenInformation(token, TokenUser, user.data(), size, &size);
  const DWORD code = GetLastError();
  CloseHandle(token);
  if (got == 0) Fail("find out the account", code);
  return TextOf(reinterpret_cast<TOKEN_USER*>(user.data())->User.Sid);
}

bool IsAdministrator() {
  std::array<std::byte, SECURITY_MAX_SID_SIZE> sid;
  DWORD size = sid.size();
  BOOL member = FALSE;
  return CreateWellKnownSid(WinBuiltinAdministratorsSid, nullptr, sid.data(), &size) != 0 &&
         CheckTokenMembership(nullptr, sid.data(), &member) != 0 && member != FALSE;
}

template <size_t N>
bool Has(const std::array<const wchar_t*, N>& list, const std::wstring& sid) {
  return std::ranges::find(list, sid) != list.end();
}

// Neither a surprise as an owner nor as a writer.
bool Trusted(const std::wstring& sid, KeyScope scope) {
  if (Has(kTrusted, sid)) return true;
  return sid == Me() && (scope == KeyScope::User || IsAdministrator());
}

// The accounts that the list lets write; L"S-1-1-0" when there is no list.
std::vector<std::wstring> Writers(void* descriptor) {
  BOOL present = FALSE, defaulted = FALSE;
  PACL list = nullptr;
  if (GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted) == 0)
    Fail("read an access control list", GetLastError());
  if (present == FALSE || list == nullptr) return {L"S-1-1-0"};
  std::vector<std::wstring> writers;
  for (DWORD i = 0; i < list->AceCount; ++i) {
    void* entry = nullptr;
    if (GetAce(list, i, &entry) == 0) Fail("read an access control list", GetLastError());
    auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    if (allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && (allowed->Mask & kWrites) != 0)
      writers.push_back(TextOf(&allowed->SidStart));
  }
  return writers;
}

std::wstring OwnerOf(void* descriptor) {
  PSID owner = nullptr;
  BOOL defaulted = FALSE;
  if (GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) == 0 || owner == nullptr)
    Fail("find out an owner", GetLastError());
  return TextOf(owner);
}

}  // namespace

Descriptor NewDescriptor(KeyScope scope) {
  const std::wstring me = Me();
  // Protected (P): what the parent folder would pass on does not apply.
  const std::wstring text = scope == KeyScope::User
                                ? L"O:" + me + L"D:P(A;OICI;FA;;;" + me + L")"
                                : L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FRFX;;;BU)";
  PSECURITY_DESCRIPTOR made = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1, &made,
                                                           nullptr) == 0)
    Fail("make an access control list", GetLastError());
  return Descriptor(made);
}

Descriptor DescriptorOf(HANDLE at) {
  PSECURITY_DESCRIPTOR read = nullptr;
  const DWORD code =
      GetSecurityInfo(at, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                      nullptr, nullptr, nullptr, nullptr, &read);
  if (code != ERROR_SUCCESS) Fail("read an access control list", code);
  return Descriptor(read);
}

std::string Objection(void* of, KeyScope scope) {
  if (!Trusted(OwnerOf(of), scope))
    return scope == KeyScope::User
               ? "it belongs to another account: a user store belongs to one account only"
               : "it belongs to an account that is no administrator: give it to the group "
                 "Administrators";
  for (const std::wstring& writer : Writers(of))
    if (scope == KeyScope::User ? !Trusted(writer, scope) : Has(kEverybody, writer))
      return "other accounts can write it: take their right away with icacls";
  return "";
}

std::string Describe(void* of) {
  std::wstring owner = OwnerOf(of);
  PSID sid = nullptr;
  BOOL defaulted = FALSE;
  std::array<wchar_t, 256> name{}, domain{};
  DWORD name_size = name.size(), domain_size = domain.size();
  SID_NAME_USE use;
  if (GetSecurityDescriptorOwner(of, &sid, &defaulted) != 0 &&
      LookupAccountSidW(nullptr, sid, name.data(), &name_size, domain.data(), &domain_size, &use) !=
          0)
    owner = std::wstring(domain.data()) + L"\\" + name.data();
  wchar_t* list = nullptr;
  if (ConvertSecurityDescriptorToStringSecurityDescriptorW(
          of, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &list, nullptr) == 0)
    return "owner " + Utf8Of(owner);
  std::unique_ptr<void, LocalFreed> owned(list);
  return "owner " + Utf8Of(owner) + ", access " + Utf8Of(list);
}

}  // namespace keyscope::store
