// Where things are when nobody says otherwise.
#pragma once

#include <string>

namespace keyscope::p11 {

struct Places {
  std::string file;         // the configuration
  std::string machine_dir;  // of the machine slot's store
  std::string user_dir;     // of the user slot's store; empty: this account has no home
};
Places DefaultPlaces();

}  // namespace keyscope::p11
