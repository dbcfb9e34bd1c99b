// The torture's tests, and its writers: a writer is this program again, started anew. A child of
// fork() would have the locks of the proxy's threads, as they were.
#include <gtest/gtest.h>

#include "tests/torture/torture_fixture.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == keyscope::test::kWriterFlag)
    return keyscope::test::WriterMain(argc - 2, argv + 2);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
