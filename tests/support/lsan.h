#pragma once

namespace keyscope::test {

// libtss2-tcti-swtpm loses a copy of its configuration at each connection that fails. Keeps the
// library loaded, so that LeakSanitizer knows whose leak it is; the suppression is beside it.
void KeepSwtpmTctiLoaded();

}  // namespace keyscope::test
