// Threads: their own sessions, one shared session, sessions that go while they are used.
#include <pthread.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/module/operations.h"
#include "tests/support/rounds.h"

namespace keyscope::test {
namespace {

constexpr int kThreads = 8;

template <typename Work>
void InThreads(Work work, int count = kThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
}

class Threads : public LoggedIn {
 protected:
  void SetUp() override {
    LoggedIn::SetUp();
    pair = GenerateEc(session, P256(), {{CKA_TOKEN, true}});
  }
  KeyPair pair;
};

TEST_F(Module, EightInitializeAtOnce) {
  ASSERT_OK(C_Finalize(nullptr));
  std::atomic<int> first{0}, late{0}, other{0};
  InThreads([&](int) {
    const CK_RV rv = C_Initialize(nullptr);
    ++(rv == CKR_OK ? first : rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? late : other);
  });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(late, kThreads - 1);
}

TEST_F(Threads, EachInItsOwnSession) {
  std::atomic<int> good{0};
  InThreads([&](int i) {
    const CK_SESSION_HANDLE own = Open();
    for (int round = 0; round < 10; ++round) {
      const Bytes digest = Pattern(static_cast<size_t>(20 + i));
      const Bytes signature = Do(kSign, own, CKM_ECDSA, pair.private_key, digest);
      if (Verify(own, CKM_ECDSA, pair.public_key, digest, signature) == CKR_OK) ++good;
    }
    EXPECT_OK(C_CloseSession(own));
  });
  EXPECT_EQ(good, kThreads * 10);
}

TEST_F(Threads, ChangesOfOneSessionObjectAreNotLost) {
  const CK_OBJECT_HANDLE object = Create(session, {{CKA_CLASS, CKO_DATA}});
  constexpr CK_ATTRIBUTE_TYPE kTypes[] = {CKA_LABEL, CKA_APPLICATION, CKA_OBJECT_ID, CKA_VALUE};
  InThreads(
      [&](int i) {
        const CK_SESSION_HANDLE own = Open();
        for (size_t length = 1; length <= 500; ++length) {
          const Bytes value = Pattern(length);
          EXPECT_OK(Set(own, object, {{kTypes[i], value}}));
          EXPECT_EQ(Get(own, object, kTypes[i]), value);
        }
        EXPECT_OK(C_CloseSession(own));
      },
      static_cast<int>(std::size(kTypes)));
}

// Whoever has a session open keeps the login alive; whoever closes the last one ends it.
TEST_F(Threads, ThirtyTwoOpenLogInFindSignAndClose) {
  constexpr int kMany = 32;
  const Attributes both{{CKA_TOKEN, true}, {CKA_LABEL, "both"}};
  GenerateEc(session, P256(), both, both);
  ASSERT_OK(C_CloseSession(session));
  const int rounds = Rounds(3);
  std::atomic<int> good{0}, logins{0};
  InThreads(
      [&](int) {
        for (int round = 0; round < rounds; ++round) {
          const CK_SESSION_HANDLE own = Open();
          const CK_RV rv = Login(own, CKU_USER, kUserPin);
          EXPECT_TRUE(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) << rv;
          logins += rv == CKR_OK ? 1 : 0;
          const auto keys = Find(own, both.With({{CKA_CLASS, CKO_PRIVATE_KEY}}));
          ASSERT_EQ(keys.size(), 1U);
          const Bytes signature = Do(kSign, own, CKM_ECDSA, keys[0], Pattern(32));
          const auto publics = Find(own, both.With({{CKA_CLASS, CKO_PUBLIC_KEY}}));
          if (publics.size() == 1 &&
              Verify(own, CKM_ECDSA, publics[0], Pattern(32), signature) == CKR_OK)
            ++good;
          EXPECT_OK(C_CloseSession(own));
        }
      },
      kMany);
  EXPECT_EQ(good, kMany * rounds);
  EXPECT_GE(logins, 1);
  EXPECT_EQ(TriesUsed(), 0U);
}

// They get into each other's way, but only in the ways that the specification has codes for.
TEST_F(Threads, AllInOneSession) {
  std::atomic<int> good{0};
  InThreads([&](int) {
    Bytes digest = Pattern(32), signature(64);
    for (int round = 0; round < 25; ++round) {
      CK_ULONG size = signature.size();
      CK_RV rv = C_SignInit(session, Mechanism(CKM_ECDSA).get(), pair.private_key);
      EXPECT_TRUE(rv == CKR_OK || rv == CKR_OPERATION_ACTIVE) << rv;
      rv = C_Sign(session, digest.data(), digest.size(), signature.data(), &size);
      EXPECT_TRUE(rv == CKR_OK || rv == CKR_OPERATION_NOT_INITIALIZED) << rv;
      if (rv == CKR_OK) ++good;
    }
  });
  EXPECT_GT(good, 0);
}

TEST_F(Threads, ASessionGoesWhileItIsUsed) {
  for (int round = 0; round < 5; ++round) {
    const CK_SESSION_HANDLE shared = Open();
    InThreads([&](int i) {
      if (i == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        EXPECT_OK(C_CloseSession(shared));
        return;
      }
      for (int n = 0; n < 5; ++n) {
        Attributes data{{CKA_CLASS, CKO_DATA}};
        CK_OBJECT_HANDLE object;
        C_CreateObject(shared, data.data(), data.size(), &object);
        Try(kSign, shared, CKM_ECDSA, pair.private_key, Pattern(32));
      }
      CK_SESSION_INFO info;
      const CK_RV rv = C_GetSessionInfo(shared, &info);
      EXPECT_TRUE(rv == CKR_OK || rv == CKR_SESSION_HANDLE_INVALID) << rv;
    });
    EXPECT_TRUE(Find(session, {{CKA_CLASS, CKO_DATA}}).empty()) << "objects of a closed session";
  }
}

TEST_F(Threads, TheModuleEndsWhileItIsUsed) {
  InThreads([&](int i) {
    if (i == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      EXPECT_OK(C_Finalize(nullptr));
      return;
    }
    for (int n = 0; n < 20; ++n) Try(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32));
  });
  EXPECT_RV(CKR_CRYPTOKI_NOT_INITIALIZED, C_Finalize(nullptr));
}

// Unwound through the C ABI it would end the process.
TEST_F(Threads, ACancelledOneReturnsFromItsCallFirst) {
  std::atomic<int> made = 0;
  std::thread worker([&] {
    const CK_SESSION_HANDLE own = Open();
    for (;;) {
      GenerateEc(own);
      ++made;
      pthread_testcancel();
    }
  });
  while (made == 0) std::this_thread::yield();
  ASSERT_EQ(pthread_cancel(worker.native_handle()), 0);
  worker.join();
  GenerateEc(session);
}

TEST_F(Threads, HandlesAreUnique) {
  std::vector<CK_SESSION_HANDLE> sessions(kThreads * 20);
  std::vector<CK_OBJECT_HANDLE> objects(sessions.size());
  InThreads([&](int i) {
    for (int n = 0; n < 20; ++n) {
      const size_t at = static_cast<size_t>(i * 20 + n);
      sessions[at] = Open();
      objects[at] = Create(sessions[at], {{CKA_CLASS, CKO_DATA}, {CKA_TOKEN, n % 5 == 0}});
    }
  });
  EXPECT_EQ(std::set(sessions.begin(), sessions.end()).size(), sessions.size());
  EXPECT_EQ(std::set(objects.begin(), objects.end()).size(), objects.size());
}

TEST_F(Threads, GenerateAndDestroy) {
  InThreads([&](int i) {
    const CK_SESSION_HANDLE own = Open();
    for (int n = 0; n < 2; ++n) {
      const KeyPair made =
          GenerateEc(own, P256(), {{CKA_TOKEN, i % 2 == 0}}, {{CKA_TOKEN, i % 2 == 0}});
      EXPECT_OK(C_DestroyObject(own, made.private_key));
      EXPECT_OK(C_DestroyObject(own, made.public_key));
    }
  });
  EXPECT_EQ(Find(session, {{CKA_TOKEN, true}}).size(), 1U);
}

}  // namespace
}  // namespace keyscope::test
