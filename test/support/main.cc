#define BOOST_TEST_MODULE mlalert
#include <boost/test/unit_test.hpp>
