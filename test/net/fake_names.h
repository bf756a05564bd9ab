// Host names for the tests, answered inside this process (fake_names_test.cc replaces getaddrinfo for the
// executable):
//   *.local.test   127.0.0.1
//   two.test       127.0.0.2, where nobody listens in the tests, then 127.0.0.1
//   slow.test      hangs until ReleaseSlowNames(), then not found
//   anything else  not found, and no packet leaves the machine
#pragma once

#include <cstddef>

namespace mlalert::testing {

void ReleaseSlowNames();
// Look-ups of slow.test that hang right now.
bool WaitForSlowLookups(size_t count);
// All of them have returned.
bool WaitForNoSlowLookups();

}  // namespace mlalert::testing
