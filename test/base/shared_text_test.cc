#include "base/shared_text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <vector>

namespace mlalert {
namespace {

BOOST_AUTO_TEST_SUITE(shared_text)

BOOST_AUTO_TEST_CASE(equal_texts_are_one) {
  const SharedText a(std::string("some text"));
  const SharedText b = "some text";
  BOOST_TEST(a.data() == b.data());
  BOOST_TEST((a == b));
  BOOST_TEST((a == "some text"));
  BOOST_TEST(!(a == SharedText("other text")));
  BOOST_TEST(SharedText().empty());
  BOOST_TEST((SharedText("") == SharedText()));
  BOOST_TEST(SharedText("").view() == "");
}

BOOST_AUTO_TEST_CASE(copies_and_moves) {
  SharedText a = "x";
  SharedText b = a;
  SharedText c = std::move(a);
  b = SharedText("y");
  BOOST_TEST(c.view() == "x");
  BOOST_TEST(b.view() == "y");
  c = c;  // NOLINT
  BOOST_TEST(c.view() == "x");
}

// What one thread lets go another may be looking for at the same moment.
BOOST_AUTO_TEST_CASE(made_and_let_go_by_several_threads) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& mistakes : wrong) {
    threads.emplace_back([&mistakes] {
      for (int i = 0; i < 20000; ++i) {
        const std::string text = std::to_string(i % 3);
        const SharedText made(text);
        mistakes += made.view() == text ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const int mistakes : wrong) {
    BOOST_TEST(mistakes == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mlalert
