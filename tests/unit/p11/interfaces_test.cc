// C_GetFunctionList, C_GetInterfaceList and C_GetInterface (section 5.4), which need no
// C_Initialize.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "p11/cryptoki.h"

namespace keyscope::p11 {
namespace {

CK_UTF8CHAR kName[] = "PKCS 11";

CK_VERSION VersionOf(CK_INTERFACE_PTR interface) {
  return *static_cast<CK_VERSION*>(interface->pFunctionList);
}

TEST(FunctionList, IsVersion240) {
  CK_FUNCTION_LIST_PTR list = nullptr;
  ASSERT_EQ(C_GetFunctionList(&list), CKR_OK);
  EXPECT_EQ(list->version.major, 2);
  EXPECT_EQ(list->version.minor, 40);
  EXPECT_EQ(list->C_Sign, C_Sign);
  EXPECT_EQ(list->C_WaitForSlotEvent, C_WaitForSlotEvent);
  EXPECT_EQ(C_GetFunctionList(nullptr), CKR_ARGUMENTS_BAD);
}

TEST(InterfaceList, FollowsTheRuleForLists) {
  CK_ULONG count = 0;
  ASSERT_EQ(C_GetInterfaceList(nullptr, &count), CKR_OK);
  ASSERT_EQ(count, 2U);
  std::array<CK_INTERFACE, 2> list{};
  count = 1;
  EXPECT_EQ(C_GetInterfaceList(list.data(), &count), CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(count, 2U);
  ASSERT_EQ(C_GetInterfaceList(list.data(), &count), CKR_OK);
  EXPECT_STREQ(reinterpret_cast<char*>(list[1].pInterfaceName), "PKCS 11");
  EXPECT_EQ(VersionOf(&list[0]).major, 3);
  EXPECT_EQ(VersionOf(&list[1]).minor, 40);
  EXPECT_EQ(C_GetInterfaceList(list.data(), nullptr), CKR_ARGUMENTS_BAD);
}

TEST(Interface, TheDefaultIsVersion30) {
  CK_INTERFACE_PTR interface = nullptr;
  ASSERT_EQ(C_GetInterface(nullptr, nullptr, &interface, 0), CKR_OK);
  EXPECT_EQ(VersionOf(interface).major, 3);
  auto* list = static_cast<CK_FUNCTION_LIST_3_0_PTR>(interface->pFunctionList);
  EXPECT_EQ(list->C_SessionCancel, C_SessionCancel);
  EXPECT_EQ(list->C_MessageVerifyFinal, C_MessageVerifyFinal);
}

TEST(Interface, IsChosenByNameVersionAndFlags) {
  CK_INTERFACE_PTR interface = nullptr;
  CK_VERSION version = {2, 40};
  ASSERT_EQ(C_GetInterface(kName, &version, &interface, 0), CKR_OK);
  EXPECT_EQ(VersionOf(interface).major, 2);
  version = {3, 0};
  ASSERT_EQ(C_GetInterface(kName, &version, &interface, 0), CKR_OK);
  EXPECT_EQ(VersionOf(interface).major, 3);

  version = {3, 9};
  EXPECT_EQ(C_GetInterface(kName, &version, &interface, 0), CKR_ARGUMENTS_BAD);
  CK_UTF8CHAR other[] = "Vendor Acme";
  EXPECT_EQ(C_GetInterface(other, nullptr, &interface, 0), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetInterface(kName, nullptr, &interface, CKF_INTERFACE_FORK_SAFE), CKR_ARGUMENTS_BAD);
  EXPECT_EQ(C_GetInterface(kName, nullptr, nullptr, 0), CKR_ARGUMENTS_BAD);
}

}  // namespace
}  // namespace keyscope::p11
