// For the tests on Windows: the few POSIX names that they use. Included before everything else.
#pragma once

#include <direct.h>
#include <process.h>
#include <stdlib.h>

#include <cstring>

inline int setenv(const char* name, const char* value, int) { return _putenv_s(name, value); }
inline int unsetenv(const char* name) { return _putenv_s(name, ""); }

// As POSIX: replaces the last six characters, XXXXXX.
inline char* mkdtemp(char* pattern) {
  static unsigned made = 0;
  char* const end = pattern + std::strlen(pattern);
  for (unsigned tried = 0; tried < 1000; ++tried) {
    unsigned number = static_cast<unsigned>(_getpid()) * 1000 + made++;
    for (char* at = end - 6; at != end; ++at, number /= 26)
      *at = static_cast<char>('a' + number % 26);
    if (_mkdir(pattern) == 0) return pattern;
  }
  return nullptr;
}
