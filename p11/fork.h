// What a fork needs of the module: no thread holds a lock while the child is made.
#pragma once

namespace keyscope::p11 {

// `before` runs before each fork from now on, `after` after it in both processes. Where processes
// do not fork, never.
void AroundForks(void (*before)(), void (*after)());

}  // namespace keyscope::p11
