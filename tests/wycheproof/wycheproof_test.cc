// One test a file of vectors. By hand: KEYSCOPE_WYCHEPROOF_DIR=<folder> wycheproof_tests.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <set>

#include "tests/wycheproof/runners.h"

namespace keyscope::wycheproof {
namespace {

class Wycheproof : public testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() { module_ = new Module; }
  static void TearDownTestSuite() {
    delete module_;
    module_ = nullptr;
  }

  void RunGroup(Runner runner, const std::string& algorithm, const Json& group) {
    const Json& tests = group.at("tests");
    tally_.vectors += tests.size();
    Case run;
    try {
      run = runner(*module_, algorithm, group);
    } catch (const Skip& reason) {
      reasons_.insert(reason.what());
      tally_.skipped += tests.size();
      return;
    } catch (const KeyRefused& refused) {
      run = [refused](const Json&) { return OfRefusedKey(refused); };
    }
    for (const Json& test : tests) RunCase(run, test);
  }

  void RunCase(const Case& run, const Json& test) {
    Answer answer;
    try {
      answer = run(test);
    } catch (const Skip& reason) {
      reasons_.insert(reason.what());
      ++tally_.skipped;
      return;
    } catch (const KeyRefused& refused) {
      answer = OfRefusedKey(refused);
    }
    const std::string wrong = tally_.Count(answer, test);
    EXPECT_TRUE(wrong.empty()) << wrong;
  }

  static Answer OfRefusedKey(const KeyRefused& refused) {
    return Judge(refused.rv, {CKR_ATTRIBUTE_VALUE_INVALID});
  }

  static Module* module_;
  Tally tally_;
  std::set<std::string> reasons_;
};
Module* Wycheproof::module_ = nullptr;

TEST_P(Wycheproof, AnswersAsItMust) {
  const Json file = ReadVectors(GetParam());
  Runner runner = nullptr;
  try {
    runner = FindRunner(file);
  } catch (const Skip& reason) {
    GTEST_SKIP() << "skipped: " << reason.what();
  }
  for (const Json& group : file.at("testGroups")) RunGroup(runner, file.at("algorithm"), group);
  EXPECT_EQ(tally_.vectors, file.at("numberOfTests").get<size_t>());

  std::cout << GetParam() << ": " << tally_.Summary() << "\n";
  for (const std::string& reason : reasons_) std::cout << "  skipped: " << reason << "\n";
  if (tally_.skipped == tally_.vectors) GTEST_SKIP() << "skipped: every vector";
}

// test_name.json as a name of letters, digits and underscores.
std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param.substr(0, info.param.size() - sizeof ".json" + 1);
  for (char& letter : name)
    if (!isalnum(static_cast<unsigned char>(letter))) letter = '_';
  return name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Wycheproof);
INSTANTIATE_TEST_SUITE_P(Files, Wycheproof, testing::ValuesIn(VectorFiles()), NameOf);

TEST(WycheproofFolder, HoldsVectors) {
  if (VectorFiles().empty() && std::getenv("KEYSCOPE_WYCHEPROOF_DIR") == nullptr)
    GTEST_SKIP() << "no vectors beside the checkout";
  EXPECT_FALSE(VectorFiles().empty()) << "KEYSCOPE_WYCHEPROOF_DIR has none";
}

}  // namespace
}  // namespace keyscope::wycheproof
