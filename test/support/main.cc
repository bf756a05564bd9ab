#define BOOST_TEST_MODULE mlalert
#include <boost/test/unit_test.hpp>

#include "support/source_dir.h"

std::string mlalert::testing::SourceDir() {
  return MLALERT_SOURCE_DIR;
}
