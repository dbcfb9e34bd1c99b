// What a fork needs of the module: no thread holds a lock while the child is made, and the child
// knows itself for one.
#pragma once

namespace keyscope::p11 {

// `before` runs before each fork from now on, `after` after it in both processes. Where processes
// do not fork, never.
void AroundForks(void (*before)(), void (*after)());

// The process that made it. Asked in every call: no system call where the kernel can wipe a page in
// children.
class Birthplace {
 public:
  Birthplace();
  ~Birthplace();
  Birthplace(const Birthplace&) = delete;
  Birthplace& operator=(const Birthplace&) = delete;
  bool IsHere() const;

 private:
  const int pid_;
  void* page_ = nullptr;  // not zero in the process that made it; nullptr: the kernel has no such
};

}  // namespace keyscope::p11
