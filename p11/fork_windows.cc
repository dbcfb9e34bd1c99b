#include "p11/fork.h"

namespace keyscope::p11 {

void AroundForks(void (*)(), void (*)()) {}

Birthplace::Birthplace() : pid_(0) {}
Birthplace::~Birthplace() = default;
bool Birthplace::IsHere() const { return true; }

}  // namespace keyscope::p11
