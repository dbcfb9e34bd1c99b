// The configuration: a TOML file, overridden by the environment (not of set-user-ID programs), read
// once by C_Initialize. The README describes the keys.
#pragma once

#include <string>
#include <vector>

#include "base/log.h"
#include "base/secret.h"

namespace keyscope::p11 {

struct Config {
  std::string tcti = "device:/dev/tpmrm0";
  std::string machine_dir;
  std::string user_dir;  // empty: this process has no home, so the user slot has no store
  log::Level log = log::Level::Silent;
  std::string log_file;          // empty: stderr
  SecretBytes owner_auth;        // of the TPM's storage hierarchy
  SecretBytes endorsement_auth;  // of its endorsement hierarchy

  std::vector<std::string> problems;  // one line each, for the log once it is open
};

// Throws nothing but bad_alloc: a file that is wrong in any place counts as absent, and is a
// problem.
Config LoadConfig();

}  // namespace keyscope::p11
